import { InvalidArgumentError, type Command } from 'commander';
import { CHANGEABLE_PART_NAMES, type ChangeablePart } from '../../../../workflows/contracts/identity.js';
import type { CliContext } from '../../context.js';
import { printJson, printRun } from '../../output/print-run.js';

interface ResumeOptions {
  allow?: ChangeablePart[];
  json?: boolean;
}

export function registerResume(runs: Command, context: CliContext): void {
  runs
    .command('resume')
    .description('Let a paused training run go on.')
    .argument('<run>')
    .option('--allow <parts>', `with what changed since it began: ${CHANGEABLE_PART_NAMES.join(',')}`, parseParts)
    .option('--json', 'print JSON')
    .action(async (id: string, { allow, json }: ResumeOptions) => {
      const run = await (await context.client()).resume(id, allow);
      if (json) printJson(context, run);
      else printRun(context, run);
    });
}

function parseParts(list: string): ChangeablePart[] {
  const known = new Map<string, ChangeablePart>(CHANGEABLE_PART_NAMES.map((name) => [name, name]));
  return list.split(',').map((name) => {
    const part = known.get(name);
    if (!part) throw new InvalidArgumentError(`It must be some of ${CHANGEABLE_PART_NAMES.join(', ')}, with commas.`);
    return part;
  });
}
