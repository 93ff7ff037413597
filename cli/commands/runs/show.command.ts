import type { Command } from 'commander';
import type { Evaluation } from '../../client/api-types.js';
import type { CliContext } from '../../context.js';
import { formatFraction, formatTable } from '../../output/format.js';
import { printJson, printRun } from '../../output/print-run.js';

export function registerShow(runs: Command, context: CliContext): void {
  runs
    .command('show')
    .description('Show a training run with its evaluations.')
    .argument('<run>')
    .option('--json', 'print JSON')
    .action(async (id: string, options: { json?: boolean }) => show(context, id, options));
}

async function show(context: CliContext, id: string, { json }: { json?: boolean }): Promise<void> {
  const client = await context.client();
  const run = await client.getRun(id);
  const evaluations = await client.listEvaluations(id);
  if (json) return printJson(context, { ...run, evaluations });
  printRun(context, run);
  printEvaluations(context, evaluations);
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
