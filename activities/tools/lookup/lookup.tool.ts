import { z } from 'zod';
import { passagesOf } from '../../datasets/passages.js';
import type { Query } from '../../../contracts/flow.js';
import { defineTool, type Tool } from '../tool.js';
import { PassageIndex } from './passage-index.js';
import { RecentlyUsed } from '../../recently-used.js';

const inputSchema = z.strictObject({
  query: z
    .string()
    .trim()
    .min(1, 'a query is needed')
    .max(300, 'the query is too long')
    .describe('an attribute and a place'),
});

/** Worlds whose index is kept in memory; an index is some hundred kilobytes and made in milliseconds. */
const KEPT_INDEXES = 4;

/** Full-text search over the texts of the flow's dataset, both splits. */
export function createLookupTool(): Tool<z.infer<typeof inputSchema>> {
  const indexes = new RecentlyUsed<PassageIndex>(KEPT_INDEXES);
  const indexOf = (dataset: Query['dataset']): PassageIndex =>
    indexes.get(`${dataset.name}/${dataset.seed}`, () => new PassageIndex(passagesOf(dataset)));

  return defineTool({
    name: 'lookup',
    title: 'Lookup',
    description: 'finds a fact about a place',
    inputSchema,
    subGoalField: 'query',
    metadata: {
      limitations: ['It knows the places of the dataset and nothing else, and computes nothing.'],
      bestPractices: ['Name one attribute and one place.'],
      demos: [{ purpose: 'how high a place lies', arguments: { query: 'height of Oslo' } }],
    },
    timeoutMs: 5_000,
    run: async ({ query }, { dataset }) => ({
      result: indexOf(dataset).search(query).join(' ') || 'nothing found',
    }),
  });
}
