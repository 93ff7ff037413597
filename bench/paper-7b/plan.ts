import { formatNumber } from '../../cli/output/format.js';
import { describeStepSize, stepSize } from '../../cli/output/step-size.js';
import { cellsOf } from '../../contracts/benchmark-evaluation.js';
import { ceilingOf, moneyOf, type Calls, type Ceiling } from './calls.js';
import type { Need } from './needs.js';
import type { Experiment, Stage } from './stages.js';

/** Questions of the published files, if an evaluation asks all of them. */
const PUBLISHED = new Map(
  Object.entries({
    bamboogle: 125,
    '2wiki': 12_576,
    hotpotqa: 7_405,
    musique: 2_417,
    gaia: 165,
    aime24: 30,
    amc23: 40,
    game24: 1_362,
    gpqa: 198,
    medqa: 1_273,
  }),
);

/** What an experiment will do, need and cost, in lines. */
export function describePlan(
  { operator, operatorFile, stages }: Experiment,
  needs: readonly Need[],
  stateOf: (stage: Stage) => string,
): string[] {
  const sizes = sizesOf(operator.datasets);
  const ceilings = stages.map((stage) => ceilingOf(stage, sizes));
  const money = ceilings.map((ceiling) => ceiling && moneyOf(ceiling, operator));
  const missing = needs.filter(({ mend }) => mend !== undefined);
  return [
    `Operator's file: ${operatorFile}`,
    ...stages.flatMap((stage, i) => ['', ...describeStage(stage, i, stateOf(stage), ceilings[i], money[i])]),
    '',
    'It needs:',
    ...needs.map(({ what, mend }) =>
      mend === undefined ? `  there     ${what}` : `  MISSING   ${what}\n            ${mend}`,
    ),
    '',
    total(money),
    'Hours are not told: nothing of this size was run with this program. The calls above are ceilings: every turn is taken, every prompt is full, nothing is answered from the cache.',
    missing.length === 0
      ? 'Nothing is missing. The same command without --plan runs it, and goes on where it was interrupted.'
      : `${missing.length} of ${needs.length} are missing.`,
  ];
}

function describeStage(stage: Stage, index: number, state: string, ceiling?: Ceiling, money?: number): string[] {
  return [
    `${index + 1}. ${stage.name} (${stage.file}): ${state}`,
    ...(stage.kind === 'run' ? describeRun(stage.config) : describeEvaluation(stage.config)),
    ...(ceiling
      ? describeCeiling(ceiling)
      : ['   How many calls it makes is not known before its datasets are there.']),
    ...describeMoney(stage.config.flow.budget?.money, money),
  ].filter((line) => line !== '');
}

function describeRun(config: Extract<Stage, { kind: 'run' }>['config']): string[] {
  return [
    `   Trains ${config.model} (${config.training.weights.kind}) on ${config.dataset.name}: ${config.steps} steps of ${describeStepSize(stepSize(config))}.`,
  ];
}

function describeEvaluation(config: Extract<Stage, { kind: 'evaluation' }>['config']): string[] {
  const benchmarks = config.benchmarks.map(({ name, questions }) =>
    questions === undefined ? name : `${name} (${questions})`,
  );
  const budgets = config.max_turns ?? [config.flow.max_turns];
  const planner =
    config.flow.planner.engine === 'policy' ? config.policies.join(', ') : `a planner on ${plannerOf(config)}`;
  return [
    `   Evaluates ${planner} on ${benchmarks.join(', ')}; at most ${budgets.join(', ')} turns; ${config.trials} trials; ${cellsOf(config).length} cells.`,
  ];
}

function plannerOf({ flow: { planner } }: Extract<Stage, { kind: 'evaluation' }>['config']): string {
  return planner.engine === 'llm' ? planner.model : 'a script';
}

function describeCeiling({ flows, turns, models, planner }: Ceiling): string[] {
  const asked = Object.entries(models).map(([name, calls]) => `${name} ${describeCalls(calls)}`);
  const own = planner.calls > 0 ? [`the planner ${describeCalls(planner)}`] : [];
  return [
    `   At most: ${count(flows)} flows, ${count(turns)} turns; ${[...own, ...asked].join('; ') || 'no language model'}.`,
  ];
}

function describeCalls({ calls, input, output }: Calls): string {
  return `${count(calls)} calls (${count(input)} + ${count(output)} tokens)`;
}

function describeMoney(budget: number | undefined, most: number | undefined): string[] {
  if (most === undefined) return ['   Costs nothing at the registered prices.'];
  const stop = budget === undefined ? 'no budget stops it' : `flow.budget.money pauses it at ${budget}`;
  return [`   Costs at most ${formatNumber(most)} at the registered prices; ${stop}.`];
}

function total(money: readonly (number | undefined)[]): string {
  const sum = money.reduce<number>((all, most) => all + (most ?? 0), 0);
  return `All stages cost at most ${formatNumber(sum)} at the registered prices, searches not counted.`;
}

function sizesOf(datasets: Experiment['operator']['datasets']): Map<string, number> {
  return new Map(
    Object.entries(datasets).flatMap(([name, entry]) => {
      if ('ranks' in entry && entry.ranks) return [[name, entry.ranks[1] - entry.ranks[0] + 1] as const];
      const size = PUBLISHED.get('benchmark' in entry ? entry.benchmark : name);
      return size === undefined ? [] : [[name, size] as const];
    }),
  );
}

function count(value: number): string {
  if (value < 1e4) return String(value);
  const [unit, name] = value < 1e6 ? [1e3, 'k'] : value < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  return `${(value / unit).toPrecision(3)} ${name}`;
}
