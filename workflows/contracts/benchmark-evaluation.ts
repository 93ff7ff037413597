import type { RunFailure } from './agent-activities.js';
import type { PolicyRef } from './artifacts.js';
import type { EvaluationConfig } from './evaluation-config.js';
import type { Query } from './flow.js';
import type { Agreement } from './statistics/agreement.js';
import type { Comparison } from './statistics/paired.js';
import type { Estimate } from './statistics/proportion.js';
import type { UsageSummary } from './statistics/usage.js';
import type { RunSettings } from './training-run.js';

/** One benchmark, one policy, one turn budget: what one line of the table is about. */
export interface Cell {
  /** Its place among the cells: `step` of its flows' coordinates. */
  index: number;
  benchmark: Query['dataset'] & { questions?: number };
  /** Name of the policy, or `base`. */
  policy: string;
  maxTurns: number;
}

export interface BenchmarkEvaluationInput {
  id: string;
  config: EvaluationConfig;
  settings: RunSettings;
}

export interface EvaluationCellInput extends BenchmarkEvaluationInput {
  cell: Cell;
  /** Resolved once, when the evaluation began (I11); absent for `base`. */
  policy?: PolicyRef;
  /** Questions asked so far, carried across continue-as-new. */
  asked: number;
}

export type EvaluationStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';

export interface SetEvaluationStatusInput {
  id: string;
  /** Supplied by the workflow, ascending: an older version never overwrites a newer one (design 9). */
  version: number;
  status: EvaluationStatus;
  failure?: RunFailure;
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
  /** Mean share of common words, where answers were graded as texts. */
  f1?: Estimate;
  usage: UsageSummary;
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
