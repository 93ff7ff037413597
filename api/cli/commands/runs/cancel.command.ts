import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { printJson, printRun } from '../../output/print-run.js';

export function registerCancel(runs: Command, context: CliContext): void {
  runs
    .command('cancel')
    .description('Cancel a training run; its last finished step is kept as a checkpoint.')
    .argument('<run>')
    .option('--json', 'print JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const run = await (await context.client()).act(id, 'cancel');
      if (json) printJson(context, run);
      else printRun(context, run);
    });
}
