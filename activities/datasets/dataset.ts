import type { DrawQueriesInput, EvaluationQueriesInput } from '../../contracts/agent-activities.js';
import type { Query } from '../../contracts/flow.js';
import type { RunConfig } from '../../contracts/run-config.js';

/** A passage that the search tool may return. */
export interface Passage {
  id: string;
  title: string;
  text: string;
}

/** A question of a dataset that is a list. */
export interface ListedQuestion {
  id: string;
  question: string;
}

/**
 * What agent modules and tools may know of a dataset: its questions. Ground truth is not here; it lives behind
 * ground-truth.ts, which only scoring imports.
 */
export interface Dataset {
  name: string;
  /** Training split; a pure function of (run seed, step, draw index). Fails with BadConfiguration for a benchmark. */
  draw(input: DrawQueriesInput): Query[] | Promise<Query[]>;
  /** Held-out split: the fixed questions [offset, offset + count); fewer only where the dataset ends. */
  evaluation(input: EvaluationQueriesInput): Query[] | Promise<Query[]>;
  /** sha256 over what the configuration does not say: texts, questions and answers. Part of a run's identity (I8). */
  fingerprint(dataset: RunConfig['dataset']): string | Promise<string>;
  /** All of its questions, by split; none of a made-up world, whose two splits are about different places. */
  listed(): Promise<{ training: ListedQuestion[]; heldOut: ListedQuestion[] }>;
}
