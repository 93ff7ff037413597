import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { printJson, printRun } from '../../output/print-run.js';

export function registerResume(runs: Command, context: CliContext): void {
  runs
    .command('resume')
    .description('Let a paused training run go on.')
    .argument('<run>')
    .option('--json', 'print JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const run = await (await context.client()).act(id, 'resume');
      if (json) printJson(context, run);
      else printRun(context, run);
    });
}
