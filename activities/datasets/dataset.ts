import type { DrawQueriesInput, EvaluationQueriesInput } from '../../workflows/contracts/agent-activities.js';
import type { Query } from '../../workflows/contracts/flow.js';

/** A passage that the search tool may return. */
export interface Passage {
  id: string;
  title: string;
  text: string;
}

/**
 * What agent modules and tools may know of a dataset: its questions and its texts. Ground truth is not here; it lives
 * behind `TruthSource` (ground-truth.ts), which only scoring imports.
 */
export interface Dataset {
  name: string;
  /** Training split; a pure function of (run seed, step, draw index). */
  draw(input: DrawQueriesInput): Query[];
  /** Held-out split: the fixed questions [offset, offset + count). */
  evaluation(input: EvaluationQueriesInput): Query[];
  /** The texts of both splits. */
  passages(seed: number): Passage[];
}
