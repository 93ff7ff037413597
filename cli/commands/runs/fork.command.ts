import type { Command } from 'commander';
import { FORK_PART_NAMES, type ForkPart } from '../../../contracts/identity.js';
import type { CliContext } from '../../context.js';
import { printJson, printRun } from '../../output/print-run.js';
import { someOf } from '../../some-of.js';
import { overridesOf } from '../../submission.js';
import { wholeNumber } from '../../whole-number.js';

interface ForkOptions {
  step?: number;
  set: string[];
  withOptimizer?: boolean;
  allow?: ForkPart[];
  idempotencyKey?: string;
  json?: boolean;
}

export function registerFork(runs: Command, context: CliContext): void {
  runs
    .command('fork')
    .description('Submit a training run that starts from a policy of another, with its configuration.')
    .argument('<run>')
    .option('--step <n>', 'start from the policy after this step; after the last one without it', wholeNumber(0))
    .option(
      '--set <key=value>',
      'replace the value of a key of the configuration, as in steps=20; null takes it away; may be repeated',
      (value: string, earlier: string[]) => [...earlier, value],
      [],
    )
    .option('--with-optimizer', "carry the run's optimiser state over")
    .option(
      '--allow <parts>',
      `start although these parts differ: ${FORK_PART_NAMES.join(',')}`,
      someOf(FORK_PART_NAMES),
    )
    .option('--idempotency-key <key>', 'forking again with the same key gives the same run')
    .option('--json', 'print JSON')
    .action(async (id: string, options: ForkOptions) => fork(context, id, options));
}

async function fork(context: CliContext, id: string, options: ForkOptions): Promise<void> {
  const { step, set, withOptimizer = false, allow = [], idempotencyKey, json } = options;
  const body = { step, optimizer: withOptimizer, allow, overrides: overridesOf(set) };
  const run = await (await context.client()).forkRun(id, body, idempotencyKey);
  if (json) printJson(context, run);
  else printRun(context, run);
}
