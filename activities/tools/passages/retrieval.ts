import { ApplicationFailure } from '@temporalio/common';
import { SERVICE_ANSWER_INVALID } from '../http/service-client.js';
import type { Embedder } from '../ranking/embedder.js';
import { denseIdentityOf, identityOf, type DenseManifest } from './manifest.js';
import type { Passage } from './passages-in.js';
import type { PassageSearcher } from './passage-searcher.js';

/** One way of finding passages for a query, and what a planner is told of it. */
export interface Retrieval {
  /** What its results depend on. */
  identity: string;
  finds: string;
  query: string;
  limitation: string;
  search(query: string, count: number, signal: AbortSignal): Promise<Passage[]>;
}

export function byWords(searcher: PassageSearcher): Retrieval {
  return {
    identity: identityOf(searcher.manifest),
    finds: 'share words with a query',
    query: 'what to look for: names, and words that the text would use',
    limitation: 'It compares words, not meanings, and knows nothing beside its texts.',
    search: (query, count, signal) => searcher.search(query, count, signal),
  };
}

/** By the vectors of one model: the passages', which are in the index, and the query's, which is asked for. */
export function byVectors(searcher: PassageSearcher, manifest: DenseManifest, embedder: Embedder): Retrieval {
  const { model, dimension } = manifest.dense;
  return {
    identity: denseIdentityOf(manifest),
    finds: 'are near a query in meaning',
    query: 'what to look for: a question, or what the text would say',
    limitation: 'It finds what is near, also if nothing in its texts answers the query.',
    search: async (query, count, signal) => {
      const vector = await embedder.embedQuery(query, signal);
      if (vector.length === dimension) return searcher.nearest(vector, count, signal);
      throw ApplicationFailure.retryable(
        `The embedding model ${model} gave a vector of ${vector.length} numbers, and the index of passages has ` +
          `${dimension}: another model answers to its name.`,
        SERVICE_ANSWER_INVALID,
      );
    },
  };
}
