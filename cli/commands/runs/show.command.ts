import type { Command } from 'commander';
import type { ApiClient } from '../../client/api-client.js';
import type { Evaluation, TrainingRun } from '../../client/api-types.js';
import type { CliContext } from '../../context.js';
import { formatFraction, formatTable } from '../../output/format.js';
import { printJson, printRun } from '../../output/print-run.js';

const AT_WORK: ReadonlySet<TrainingRun['status']> = new Set(['running', 'pausing', 'cancelling']);

export function registerShow(runs: Command, context: CliContext): void {
  runs
    .command('show')
    .description('Show a training run with its evaluations, and what it is doing now.')
    .argument('<run>')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { json?: boolean }) => show(context, id, options));
}

async function show(context: CliContext, id: string, { json }: { json?: boolean }): Promise<void> {
  const client = await context.client();
  const run = await client.getRun(id);
  const evaluations = await client.listEvaluations(id);
  if (json) return printJson(context, { ...run, evaluations });
  printRun(context, run, await phaseOf(client, run));
  printEvaluations(context, evaluations);
}

/** What the workflow of a run says that it is doing; null of one that does nothing. */
async function phaseOf(client: ApiClient, { id, status }: TrainingRun): Promise<string | null> {
  if (!AT_WORK.has(status)) return null;
  try {
    return (await client.progress(id)).phase;
  } catch (error) {
    return `not known: ${(error as Error).message}`;
  }
}

function printEvaluations({ print }: CliContext, evaluations: readonly Evaluation[]): void {
  if (evaluations.length === 0) return;
  const families = [...new Set(evaluations.flatMap(({ by_family }) => Object.keys(by_family)))];
  const rows = evaluations.map((evaluation) => [
    String(evaluation.step),
    evaluation.planner,
    formatFraction(evaluation.accuracy),
    evaluation.interval.map(formatFraction).join('-'),
    `${evaluation.correct}/${evaluation.questions}`,
    ...families.map((family) => formatFraction(evaluation.by_family[family]?.accuracy)),
  ]);
  print('');
  const header = ['STEP', 'PLANNER', 'ACCURACY', '95 %', 'CORRECT', ...families.map((name) => name.toUpperCase())];
  for (const line of formatTable(header, rows)) print(line);
}
