import { Argument, InvalidArgumentError, type Command } from 'commander';
import type { Decision } from '../client/api-types.js';
import { CliError } from '../cli-error.js';
import type { CliContext } from '../context.js';
import { printJson, printRun } from '../output/print-run.js';

interface DecideOptions {
  groups?: number[];
  json?: boolean;
}

export function registerDecide(program: Command, context: CliContext): void {
  program
    .command('decide')
    .description('Decide about a step whose loss was not finite; the run then goes on.')
    .argument('<run>')
    .addArgument(
      new Argument('<decision>', 'leave groups out, make no update, or another learning rate').choices([
        'skip-group',
        'skip-step',
        'learning-rate',
      ]),
    )
    .argument('[rate]', 'learning-rate: the new one')
    .option('--groups <list>', 'skip-group: which, as in 1,2 (default: those that the failure names)', parseGroups)
    .option('--json', 'print JSON')
    .action(async (id: string, kind: Decision['kind'], rate: string | undefined, options: DecideOptions) => {
      const run = await (await context.client()).decide(id, toDecision(kind, rate, options.groups));
      if (options.json) printJson(context, run);
      else printRun(context, run);
    });
}

/** What belongs to another decision is an error, not ignored. */
function toDecision(kind: Decision['kind'], rate: string | undefined, groups: number[] | undefined): Decision {
  if (rate !== undefined && kind !== 'learning-rate') throw new CliError(`${kind} takes no learning rate.`);
  if (groups && kind !== 'skip-group') throw new CliError(`${kind} takes no --groups.`);
  if (kind === 'skip-group') return { kind, ...(groups && { groups }) };
  if (kind === 'skip-step') return { kind };
  return { kind, learning_rate: parseRate(rate) };
}

function parseRate(text: string | undefined): number {
  const rate = Number(text);
  if (rate > 0) return rate;
  throw new CliError('learning-rate needs a positive number, as in: learning-rate 1e-5');
}

function parseGroups(list: string): number[] {
  if (/^\d+(,\d+)*$/.test(list)) return list.split(',').map(Number);
  throw new InvalidArgumentError('It must be numbers of groups, as in 1,2.');
}
