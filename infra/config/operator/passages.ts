import { isAbsolute } from 'node:path';
import { z } from 'zod';

const passages = z.strictObject({
  index: z.string().refine(isAbsolute, 'must be an absolute path').meta({
    title: 'absolute path',
    description: 'The directory that `agentflow passages index` has made. A run keeps to what is in it.',
  }),
  search: z
    .enum(['bm25', 'dense'])
    .default('bm25')
    .describe(
      'How passages are compared with a query: `bm25` by their words, `dense` by vectors of the model of the section `embeddings`, for an index that was built with `--dense` (docs/tools.md#dense-retrieval).',
    ),
  results: z.int().min(1).max(20).default(5).describe('Passages that a search gives, at most. They share 8 KB.'),
});

/** The section `passages` of the operator's file. */
export const passagesSection = passages
  .optional()
  .describe('The index that the tool `passages` searches (docs/tools.md#passages).');

export type PassagesSection = z.infer<typeof passages>;
