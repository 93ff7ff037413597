import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { watchRun } from '../../watch-run.js';

export function registerWatch(runs: Command, context: CliContext): void {
  runs
    .command('watch')
    .description("Print a run's events, one a line, until it is finished.")
    .argument('<run>')
    .option('--json', 'print each event as JSON')
    .action(async (id: string, options: { json?: boolean }) => void (await watchRun(context, id, options)));
}
