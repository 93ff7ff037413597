import { InvalidArgumentError, Option, type Command } from 'commander';
import { FORK_PART_NAMES, type ForkPart } from '../../contracts/identity.js';
import { CliError } from '../cli-error.js';
import type { CliContext } from '../context.js';
import { dryRun } from '../dry-run.js';
import { printJson, printRun } from '../output/print-run.js';
import { readConfiguration, readSubmission, type Overrules } from '../submission.js';
import { someOf } from '../some-of.js';
import { watchRun } from '../watch-run.js';

interface TrainOptions {
  follow?: boolean;
  set: string[];
  from?: string;
  withOptimizer?: boolean;
  allow?: ForkPart[];
  dryRun?: boolean;
  deviceGib?: number;
  idempotencyKey?: string;
  json?: boolean;
}

export function registerTrain(program: Command, context: CliContext): void {
  program
    .command('train')
    .description('Submit a run configuration (YAML or JSON) as a training run.')
    .argument('<file>', 'the configuration; - reads standard input')
    .option('-f, --follow', 'watch the run until it is finished')
    .option(
      '--set <key=value>',
      'replace the value of a key, as in training.learning_rate=1e-5; may be repeated',
      collect,
      [],
    )
    .option('--from <run@n>', "start from a copy of this policy, as in run-abc@12, instead of the file's `from`")
    .option('--with-optimizer', "with --from: carry the parent's optimiser state over")
    .option(
      '--allow <parts>',
      `with --from: start although these parts differ: ${FORK_PART_NAMES.join(',')}`,
      someOf(FORK_PART_NAMES),
    )
    .addOption(
      new Option(
        '--dry-run',
        'submit nothing: check the configuration, print it with every default, the size of its steps and their memory',
      ).conflicts(['follow', 'idempotencyKey']),
    )
    .option('--device-gib <n>', "with --dry-run: memory of the trainer's device, instead of this machine's", parseGib)
    .option('--idempotency-key <key>', 'submitting again with the same key gives the same run')
    .option('--json', 'print JSON')
    .action(async (file: string, options: TrainOptions) => train(context, file, options));
}

async function train(context: CliContext, file: string, options: TrainOptions): Promise<void> {
  const overrules = overrulesOf(options);
  if (options.deviceGib !== undefined && !options.dryRun) throw new CliError('--device-gib needs --dry-run.');
  if (options.dryRun) return dryRun(context, await readConfiguration(file, overrules), options);
  const submission = await readSubmission(file, overrules);
  const client = await context.client();
  const run = await client.createRun({
    ...submission,
    ...(options.idempotencyKey && { idempotencyKey: options.idempotencyKey }),
  });
  if (!options.follow) return options.json ? printJson(context, run) : printRun(context, run);
  context.note(`${run.id} is ${run.status}; Ctrl-C stops the display, and the run continues.`);
  await watchRun(context, run.id, options);
}

function overrulesOf({ set, from, withOptimizer = false, allow }: TrainOptions): Overrules {
  if (from !== undefined) return { set, from: { policy: from, optimizer: withOptimizer, allow: allow ?? [] } };
  if (withOptimizer) throw new CliError('--with-optimizer needs --from: it copies the optimiser state of that policy.');
  if (allow)
    throw new CliError('--allow needs --from: it names the parts in which the run may differ from that policy.');
  return { set };
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

function parseGib(text: string): number {
  const gib = Number(text);
  if (gib > 0 && Number.isFinite(gib)) return gib;
  throw new InvalidArgumentError('It must be a number of GiB, as in 80.');
}
