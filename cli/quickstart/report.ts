import type { Checkpoint, Evaluation, TrainingRun, TrainingStep } from '../client/api-types.js';
import { formatTable } from '../output/format.js';

export interface Outcome {
  run: TrainingRun;
  steps: TrainingStep[];
  evaluations: Evaluation[];
  checkpoints: Checkpoint[];
  resumed: boolean;
}

/** The object that `--json` prints: names are part of the command's interface. */
export function jsonReport(outcome: Outcome) {
  const { run, steps, resumed } = outcome;
  const { before, after } = beforeAndAfter(outcome);
  return {
    run_id: run.id,
    status: run.status,
    steps: run.step,
    seed: run.seed,
    seconds: secondsOf(run),
    accuracy_before: before?.accuracy ?? null,
    accuracy_after: after?.accuracy ?? null,
    accuracy_by_family: { before: byFamily(before), after: byFamily(after) },
    yardsticks: Object.fromEntries(
      yardsticks(outcome).map((e) => [e.planner, { accuracy: e.accuracy, by_family: byFamily(e) }]),
    ),
    curve: policyEvaluations(outcome).map(({ step, accuracy }) => ({ step, accuracy })),
    rewards: inOrder(steps).map((step) => step.metrics['reward_mean']),
    policy_sha256: run.policy_sha256,
    resumed,
  };
}

export function textReport(outcome: Outcome): string {
  const { run, checkpoints } = outcome;
  const { before, after } = beforeAndAfter(outcome);
  const newest = checkpoints.reduce<Checkpoint | undefined>((a, b) => (a && a.step > b.step ? a : b), undefined);
  return [
    '',
    `${run.id} is ${run.status} after ${run.step} steps and ${Math.round(secondsOf(run) ?? 0)} s.`,
    '',
    ...accuracyTable(before, after, yardsticks(outcome)),
    '',
    `policy      ${run.policy ?? '-'}  sha256 ${run.policy_sha256 ?? '-'}`,
    `checkpoint  ${newest?.uri ?? '-'}`,
    '',
    'Next:',
    ...next(run).map((line) => `  ${line}`),
  ].join('\n');
}

/** Commands for looking around, each with what it is for. */
function next({ id, policy }: TrainingRun): string[] {
  const commands = [
    ['npm run up', 'start the stack again, with every rollout in the Temporal UI; then:'],
    [`npx agentflow runs show ${id}`, 'show the run; with --json, its configuration too'],
    ...(policy
      ? [
          [
            `npx agentflow solve "What is the area of Mordby times 7?" --policy ${policy}`,
            'ask the trained planner a question',
          ],
        ]
      : []),
    ['npm run quickstart -- --seed 1 --steps 32', 'train longer, with another seed'],
  ];
  return commands.map(([command, meaning]) => `${command}  # ${meaning}`);
}

function accuracyTable(before?: Evaluation, after?: Evaluation, others: Evaluation[] = []): string[] {
  const columns: [string, Evaluation | undefined][] = [
    ['before', before],
    ['after', after],
    ...others.map((e): [string, Evaluation] => [`${e.planner} planner`, e]),
  ];
  const families = Object.keys(after?.by_family ?? before?.by_family ?? {});
  const share = (value?: number) => value?.toFixed(3) ?? '-';
  return formatTable(
    ['held-out accuracy', ...columns.map(([name]) => name)],
    [
      ['all', ...columns.map(([, e]) => share(e?.accuracy))],
      ...families.map((family) => [family, ...columns.map(([, e]) => share(e?.by_family[family]?.accuracy))]),
    ],
  );
}

function beforeAndAfter(outcome: Outcome): { before?: Evaluation; after?: Evaluation } {
  const evaluations = policyEvaluations(outcome);
  return {
    before: evaluations.find(({ step }) => step === 0),
    after: evaluations.find(({ step }) => step === outcome.run.step),
  };
}

function policyEvaluations({ evaluations }: Outcome): Evaluation[] {
  return evaluations.filter(({ planner }) => planner === 'policy').toSorted((a, b) => a.step - b.step);
}

function yardsticks({ evaluations }: Outcome): Evaluation[] {
  return evaluations.filter(({ planner }) => planner !== 'policy');
}

function inOrder(steps: TrainingStep[]): TrainingStep[] {
  return steps.toSorted((a, b) => a.step - b.step);
}

function byFamily(evaluation?: Evaluation): Record<string, number> {
  return Object.fromEntries(
    Object.entries(evaluation?.by_family ?? {}).map(([name, family]) => [name, family.accuracy]),
  );
}

/** Submission to end, evaluations included. */
function secondsOf({ created_at, finished_at }: TrainingRun): number | null {
  return finished_at === null ? null : (Date.parse(finished_at) - Date.parse(created_at)) / 1000;
}
