import type { RunFailure } from './failures.js';
import type { PolicyRef } from './artifacts.js';
import type { EvaluationConfig } from './evaluation-config.js';
import type { Query } from './flow.js';
import type { RowWriter } from './row-writer.js';
import type { RunSettings } from './run-settings.js';

/** One benchmark, one policy, one turn budget: what one line of the table is about. */
export interface Cell {
  /** Its place among the cells. */
  index: number;
  benchmark: Query['dataset'] & { questions?: number };
  /** Name of the policy, or `base`. */
  policy: string;
  maxTurns: number;
}

/** The cells of an evaluation, in the order in which they are run and shown. */
export function cellsOf({ benchmarks, policies, max_turns, flow }: EvaluationConfig): Cell[] {
  const budgets = max_turns ?? [flow.max_turns];
  return benchmarks
    .flatMap((benchmark) => policies.flatMap((policy) => budgets.map((maxTurns) => ({ benchmark, policy, maxTurns }))))
    .map((cell, index) => ({ index, ...cell }));
}

export interface BenchmarkEvaluationInput {
  id: string;
  config: EvaluationConfig;
  settings: RunSettings;
  /** Version of the evaluation's last status, if it goes on after its workflow was gone; 0 if absent. */
  version?: number;
}

export interface EvaluationCellInput extends BenchmarkEvaluationInput {
  cell: Cell;
  /** Resolved once, when the evaluation began (I11); absent for `base`. */
  policy?: PolicyRef;
  /** Questions asked so far, carried across continue-as-new and pauses. */
  asked: number;
  /** How often `flow.budget` was granted: once if absent. */
  budgets?: number;
}

/** A cell that came to a failure after which the evaluation pauses: it goes on after the questions already asked. */
export interface StoppedCell {
  asked: number;
  failure: RunFailure;
}

export type EvaluationStatus = 'queued' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';

export interface SetEvaluationStatusInput {
  id: string;
  /** Supplied by the workflow, ascending: an older version never overwrites a newer one. */
  version: number;
  status: EvaluationStatus;
  failure?: RunFailure;
  /** Absent in calls of older versions. */
  writer?: RowWriter;
}

/** A value and its 95 % confidence interval. */
export interface Estimate {
  value: number;
  interval: [low: number, high: number];
}

/** How far two judges of the same answers agree. */
export interface Agreement {
  /** Answers that both judged. */
  answers: number;
  /** Share of them on which both say the same. */
  observed: number;
  /** Cohen's kappa: agreement beyond chance. Undefined if chance alone would always agree, or if nothing was judged. */
  kappa?: number;
  /** Counts: [both right, only the first says right, only the second does, both wrong]. */
  table: [number, number, number, number];
}

/** What the flows of a cell took. */
export interface UsageSummary {
  turns: Estimate;
  /** Share of flows that took one turn. */
  oneTurn: number;
  /** Share of all turns per tool; the shares add up to 1 if there was a turn. */
  toolMix: Record<string, number>;
  /** Of the flows whose figure is known. */
  tokens?: Estimate;
  cost?: Estimate;
  seconds?: Estimate;
  /** Sums over the flows whose figure is known. */
  totals: { turns: number; tokens: number; cost: number; seconds: number };
}

/** Two policies, question by question. */
export interface Comparison {
  /** Questions that both were asked: the pairs. */
  questions: number;
  /** Questions that only one of them was asked: not compared. */
  unpaired: number;
  /** Questions that the first answered better, and the second. */
  firstBetter: number;
  secondBetter: number;
  /** Mean accuracy of the second minus that of the first, over the questions. */
  difference: Estimate;
  test: 'mcnemar-exact' | 'sign-flip';
  pValue: number;
}

export interface CellReport {
  benchmark: string;
  policy: string;
  maxTurns: number;
  /** Questions, and flows: each question as often as there are trials. The denominator is every flow. */
  questions: number;
  asked: number;
  correct: number;
  /** Flows that ended excluded: counted as wrong, shown apart. */
  failed: number;
  outcomes: Record<string, number>;
  /** 95 % interval, clustered by question. */
  accuracy: Estimate;
  byFamily: Record<string, { asked: number; correct: number; accuracy: number }>;
  /** Mean share of common words, if answers were graded as texts. */
  f1?: Estimate;
  usage: UsageSummary;
  /**
   * Answers that count as wrong because no rule could decide and no judge was asked; `examples` are the first of them.
   */
  undecided?: { answers: number; share: number; examples: { queryId: string; answer: string }[] };
  /** Rules and judge on the answers that both judged. */
  agreement?: Agreement;
}

/** Two policies on the same benchmark with the same turn budget, question by question. */
export interface CellComparison extends Comparison {
  benchmark: string;
  maxTurns: number;
  first: string;
  second: string;
}

export interface EvaluationReport {
  cells: CellReport[];
  comparisons: CellComparison[];
}

export interface BenchmarkEvaluationActivities {
  setEvaluationStatus(input: SetEvaluationStatusInput): Promise<void>;
  /** Makes the report of an evaluation whose flows are all recorded, and keeps it: a pure function of their rows. */
  reportEvaluation(input: { id: string }): Promise<{ cells: number }>;
}
