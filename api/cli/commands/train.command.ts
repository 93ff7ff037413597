import { type Command } from 'commander';
import type { CliContext } from '../context.js';
import { printJson, printRun } from '../output/print-run.js';
import { readSubmission } from '../submission.js';
import { watchRun } from '../watch-run.js';

interface TrainOptions {
  follow?: boolean;
  set: string[];
  idempotencyKey?: string;
  json?: boolean;
}

export function registerTrain(program: Command, context: CliContext): void {
  program
    .command('train')
    .description('Submit a run configuration (YAML or JSON) as a training run.')
    .argument('<file>', 'the configuration; - reads standard input')
    .option('-f, --follow', 'watch the run until it is finished')
    .option('--set <key=value>', 'overrule a key, as in training.learning_rate=1e-5; repeatable', collect, [])
    .option('--idempotency-key <key>', 'submitting again with the same key gives the same run')
    .option('--json', 'print JSON')
    .action(async (file: string, options: TrainOptions) => train(context, file, options));
}

async function train(context: CliContext, file: string, options: TrainOptions): Promise<void> {
  const submission = await readSubmission(file, options.set);
  const client = await context.client();
  const run = await client.createRun({
    ...submission,
    ...(options.idempotencyKey && { idempotencyKey: options.idempotencyKey }),
  });
  if (!options.follow) return options.json ? printJson(context, run) : printRun(context, run);
  context.note(`${run.id} is ${run.status}; Ctrl-C stops watching, not the run.`);
  await watchRun(context, run.id, options);
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}
