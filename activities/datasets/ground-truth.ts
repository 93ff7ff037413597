import { FailureType } from '../../contracts/failures.js';
import type { Query } from '../../contracts/flow.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { atlas } from './atlas/atlas.dataset.js';
import { atlasTruth } from './atlas/truth.js';
import type { ItemStore } from './items/item-store.js';
import type { Truth } from './items/truth.js';

export interface GroundTruth {
  truth: Truth;
  /** The truth of a held-out question is never shown, not even in a score's reason. */
  heldOut: boolean;
}

/**
 * Looks up the truth of a question by its id. Only scoring may import this file. Fails with NotFound where the dataset or
 * the question does not exist.
 */
export type TruthSource = (query: Query) => Promise<GroundTruth>;

export function createTruthSource(store: ItemStore): TruthSource {
  return async ({ id, dataset: { name, upload } }) => {
    if (upload === undefined && !Object.hasOwn(store.registrations, name)) {
      throw nonRetryable(FailureType.NotFound, `No ground truth for the dataset "${name}".`);
    }
    if (upload === undefined && name === atlas.name) {
      const { answer, heldOut } = atlasTruth(id);
      return { truth: { kind: 'exact-number', value: answer }, heldOut };
    }
    const found = await store.find(name, id, upload);
    if (!found) throw nonRetryable(FailureType.NotFound, `The dataset ${name} has no question "${id}".`);
    return { truth: found.item.truth, heldOut: found.heldOut };
  };
}
