import { z } from 'zod';
import type { PassagesSection } from '../../../infra/config/operator/passages.js';
import { cutText, MEMORY_BYTES } from '../../text/cut-text.js';
import { defineTool, type Tool } from '../tool.js';
import { identityOf } from './manifest.js';
import type { PassageSearcher } from './passage-searcher.js';
import type { Passage } from './passages-in.js';

const SEPARATOR = '\n\n';

/** Full-text search over the operator's index of passages. */
export function createPassagesTool(searcher: PassageSearcher, { results }: Pick<PassagesSection, 'results'>): Tool {
  return defineTool({
    name: 'passages',
    title: 'Passages',
    description: 'finds passages of a text collection that share words with a query',
    inputSchema: z.strictObject({
      query: z
        .string('a query is needed')
        .trim()
        .min(1, 'a query is needed')
        .max(1_000, 'the query is longer than 1000 characters')
        .describe('what to look for: names, and words that the text would use'),
    }),
    subGoalField: 'query',
    metadata: {
      limitations: ['It compares words, not meanings, and knows nothing beside its texts.'],
      bestPractices: ['One fact for each search.', 'Name the subject as a text about it would.'],
      demos: [{ purpose: 'find a fact on a subject', arguments: { query: 'Danube length' } }],
    },
    identity: `${identityOf(searcher.manifest)}/${results}`,
    timeoutMs: 60_000,
    run: async ({ query }, { signal }) => {
      const found = await searcher.search(query, results, signal);
      return { result: written(found, results) || 'nothing found' };
    },
  });
}

/** All of them fit into a turn's memory (I6): a long one is cut, and pushes out none. */
function written(found: readonly Passage[], results: number): string {
  const room = Math.floor(MEMORY_BYTES / results) - SEPARATOR.length;
  return found.map(({ title, text }) => cutText(title === '' ? text : `${title}\n${text}`, room)).join(SEPARATOR);
}
