import { z } from 'zod';
import { secretSource } from '../secrets.js';

/** The section `embeddings` of the operator's file: what ranks passages instead of BM25, where it is there. */
export const embeddingsSection = z.strictObject({
  /** Of an OpenAI-compatible API, `/v1` included. */
  url: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }),
  model: z.string().min(1),
  key: secretSource.optional(),
});

export type EmbeddingsSection = z.infer<typeof embeddingsSection>;
