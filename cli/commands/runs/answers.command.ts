import type { Command } from 'commander';
import type { TrainingStep } from '../../client/api-types.js';
import { CliError } from '../../cli-error.js';
import type { CliContext } from '../../context.js';
import { formatFraction, formatShares, formatTable, oneLine } from '../../output/format.js';
import { printJson, printList } from '../../output/print-run.js';
import { wholeNumber } from '../../whole-number.js';

interface Options {
  step?: number;
  json?: boolean;
}

type Answers = NonNullable<TrainingStep['answers']>;
type StepWithAnswers = TrainingStep & { answers: Answers };

const HEADER = ['STEP', 'REWARD', 'UNDECIDED', 'LENIENT', 'REPEATED', 'DENIED', 'LENGTH', 'FORMS', 'WARNINGS'];

export function registerAnswers(runs: Command, context: CliContext): void {
  runs
    .command('answers')
    .description('Show what the answers of each step of a training run were like, and examples of one step.')
    .argument('<run>')
    .option('--step <n>', 'the step whose examples are shown; the last one without it', wholeNumber(1))
    .option('--json', 'print JSON')
    .action(async (id: string, options: Options) => answers(context, id, options));
}

async function answers(context: CliContext, id: string, { step, json }: Options): Promise<void> {
  const steps = (await (await context.client()).listSteps(id)).filter(hasAnswers);
  const shown = step === undefined ? steps.at(-1) : steps.find((one) => one.step === step);
  if (step !== undefined && !shown) throw new CliError(`Step ${step} of ${id} has no answers to show.`);
  if (json && step !== undefined) return printJson(context, shown!);
  if (json) return printList(context, steps, (one) => String(one.step));
  if (!shown) return context.note(`No step of ${id} has answers to show.`);
  for (const line of formatTable(HEADER, steps.map(row))) context.print(line);
  for (const line of examplesOf(shown)) context.print(line);
}

function hasAnswers(step: TrainingStep): step is StepWithAnswers {
  return step.answers !== null;
}

function row({
  step,
  metrics,
  answers: { undecided, lenient, repeated, denied, length, forms, warnings },
}: StepWithAnswers) {
  const counts = Object.entries(forms).map(([name, { answers: count }]) => [name, count] as const);
  const shares = Object.fromEntries(counts.filter(([, count]) => count > 0));
  return [
    String(step),
    formatFraction(metrics['reward_mean']),
    ...[undecided, lenient, repeated, denied].map(({ of, share }) => (of === 0 ? '-' : formatFraction(share))),
    String(length),
    formatShares(shares) ?? '-',
    warnings.map(({ kind }) => kind).join(', ') || '-',
  ];
}

/** The warnings of a step, and some of its answers, each with the rollout that it is of. */
function examplesOf({ step, answers: { warnings, undecided, lenient, repeated, denied } }: StepWithAnswers): string[] {
  const warned = warnings.flatMap(({ message }) => ['', `Step ${step}: ${message}`]);
  const shares = Object.entries({ undecided, lenient, repeated, denied }).filter(([, { answers: count }]) => count > 0);
  return [
    ...warned,
    ...shares.flatMap(([name, { answers: count, of, examples }]) => [
      '',
      `Step ${step}, ${name}: ${count} of ${of}, for example`,
      ...examples.map(({ rollout, answer }) => `  ${rollout}  ${oneLine(answer)}`),
    ]),
  ];
}
