import { z } from 'zod';
import type { PassagesSection } from '../../../infra/config/operator/passages.js';
import { cutText, MEMORY_BYTES } from '../../text/cut-text.js';
import { defineTool, type Tool } from '../tool.js';
import type { Retrieval } from './retrieval.js';
import { asText, type Passage } from './passages-in.js';

const SEPARATOR = '\n\n';

/** Search over the operator's index of passages. */
export function createPassagesTool(retrieval: Retrieval, { results }: Pick<PassagesSection, 'results'>): Tool {
  return defineTool({
    name: 'passages',
    title: 'Passages',
    description: `finds passages of a text collection that ${retrieval.finds}`,
    inputSchema: z.strictObject({
      query: z
        .string('a query is needed')
        .trim()
        .min(1, 'a query is needed')
        .max(1_000, 'the query is longer than 1000 characters')
        .describe(retrieval.query),
    }),
    subGoalField: 'query',
    metadata: {
      limitations: [retrieval.limitation],
      bestPractices: ['One fact for each search.', 'Name the subject as a text about it would.'],
      demos: [{ purpose: 'find a fact on a subject', arguments: { query: 'Danube length' } }],
    },
    identity: `${retrieval.identity}/${results}`,
    timeoutMs: 60_000,
    run: async ({ query }, { signal }) => {
      const found = await retrieval.search(query, results, signal);
      return { result: written(found, results) || 'nothing found' };
    },
  });
}

/** All of them fit into a turn's memory (I6): a long one is cut, and pushes out none. */
function written(found: readonly Passage[], results: number): string {
  const room = Math.floor(MEMORY_BYTES / results) - SEPARATOR.length;
  return found.map((passage) => cutText(asText(passage), room)).join(SEPARATOR);
}
