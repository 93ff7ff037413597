import { z } from 'zod';
import { secretSource } from '../secrets.js';

/** White space at the end counts: `query: ` and `query:` are other texts to a model. */
const prefix = z.string().max(1_000).default('');

/** The section `embeddings` of the operator's file: what ranks passages instead of BM25, and embeds those of an index. */
export const embeddingsSection = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
      .meta({ title: 'URL', description: 'Address of an OpenAI-compatible API, `/v1` included.' }),
    model: z.string().min(1).describe('What the model is called there.'),
    key: secretSource.optional(),
    query_prefix: prefix.describe(
      'What the model wants before a query, as its authors say: `"query: "` for E5. White space at its end counts.',
    ),
    passage_prefix: prefix.describe('The same before a passage: `"passage: "` for E5.'),
  })
  .describe(
    'An embedding model. It ranks passages of pages, which BM25 does without it, and embeds the passages and queries of an index that is searched by vectors.',
  );

export type EmbeddingsSection = z.infer<typeof embeddingsSection>;
