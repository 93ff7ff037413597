import { FailureType } from '../../workflows/contracts/failures.js';
import type { Query } from '../../workflows/contracts/flow.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { atlasTruth } from './atlas/truth.js';

export interface GroundTruth {
  answer: number;
  /** The truth of a held-out question is never shown, not even in a score's reason. */
  heldOut: boolean;
}

/** Looks up the truth of a question by its id. Only scoring may import this file. */
export type TruthSource = (queryId: string) => GroundTruth;

const SOURCES: Record<string, TruthSource> = { atlas: atlasTruth };

/** Fails with NotFound where the dataset or the question does not exist. */
export function groundTruth(query: Query): GroundTruth {
  const source = Object.hasOwn(SOURCES, query.dataset.name) ? SOURCES[query.dataset.name] : undefined;
  if (!source) throw nonRetryable(FailureType.NotFound, `No ground truth for the dataset "${query.dataset.name}".`);
  return source(query.id);
}
