import type { Command } from 'commander';
import { CHANGEABLE_PART_NAMES, type ChangeablePart } from '../../../../workflows/contracts/identity.js';
import type { CliContext } from '../../context.js';
import { printJson, printRun } from '../../output/print-run.js';
import { someOf } from '../../some-of.js';

interface ResumeOptions {
  allow?: ChangeablePart[];
  json?: boolean;
}

export function registerResume(runs: Command, context: CliContext): void {
  runs
    .command('resume')
    .description('Let a paused training run go on.')
    .argument('<run>')
    .option(
      '--allow <parts>',
      `with what changed since it began: ${CHANGEABLE_PART_NAMES.join(',')}`,
      someOf(CHANGEABLE_PART_NAMES),
    )
    .option('--json', 'print JSON')
    .action(async (id: string, { allow, json }: ResumeOptions) => {
      const run = await (await context.client()).resume(id, allow);
      if (json) printJson(context, run);
      else printRun(context, run);
    });
}
