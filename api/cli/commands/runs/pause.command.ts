import type { Command } from 'commander';
import type { CliContext } from '../../context.js';
import { printJson, printRun } from '../../output/print-run.js';

interface PauseOptions {
  now?: boolean;
  json?: boolean;
}

export function registerPause(runs: Command, context: CliContext): void {
  runs
    .command('pause')
    .description('Pause a training run when its current step is finished.')
    .argument('<run>')
    .option('--now', 'stop its rollouts before their next activity')
    .option('--json', 'print JSON')
    .action(async (id: string, { now, json }: PauseOptions) => {
      const run = await (await context.client()).pause(id, now);
      if (json) printJson(context, run);
      else printRun(context, run);
    });
}
