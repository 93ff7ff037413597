import { z } from 'zod';
import { secretSource } from '../secrets.js';

/** The section `embeddings` of the operator's file: what ranks passages instead of BM25. */
export const embeddingsSection = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
      .meta({ title: 'URL', description: 'Address of an OpenAI-compatible API, `/v1` included.' }),
    model: z.string().min(1).describe('What the model is called there.'),
    key: secretSource.optional(),
  })
  .describe('An embedding model that ranks passages of pages. Without it BM25 ranks them.');

export type EmbeddingsSection = z.infer<typeof embeddingsSection>;
