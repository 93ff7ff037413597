import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import type { EmbeddingsSection } from '../../../infra/config/operator/embeddings.js';
import type { WithKey } from '../../../infra/config/secrets.js';
import { SERVICE_ANSWER_INVALID, ServiceClient } from '../http/service-client.js';

/** Texts to vectors, in their order, of one length and of unit norm. */
export interface Embedder {
  embed(texts: readonly string[], signal: AbortSignal): Promise<number[][]>;
}

const BATCH = 64;

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()).min(1) })),
});

/** An embedding model behind an OpenAI-compatible address. */
export function openEmbedder({ url, model, key }: WithKey<EmbeddingsSection>): Embedder {
  const client = new ServiceClient('The embedding model');
  const address = new URL(`${url.replace(/\/$/, '')}/embeddings`);
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };

  const batch = async (input: readonly string[], signal: AbortSignal): Promise<number[][]> => {
    const body = { model, input, encoding_format: 'float' };
    const { data } = await client.json(address, answerSchema, signal, { method: 'POST', headers, body });
    const vectors = [...data].sort((a, b) => a.index - b.index).map(({ embedding }) => unit(embedding));
    if (vectors.length === input.length && vectors.every(({ length }) => length === vectors[0].length)) return vectors;
    throw ApplicationFailure.retryable(
      `The embedding model gave ${vectors.length} vectors for ${input.length} texts, or of several lengths.`,
      SERVICE_ANSWER_INVALID,
    );
  };

  return {
    embed: async (texts, signal) => {
      const vectors: number[][] = [];
      for (let start = 0; start < texts.length; start += BATCH) {
        vectors.push(...(await batch(texts.slice(start, start + BATCH), signal)));
      }
      return vectors;
    },
  };
}

function unit(vector: readonly number[]): number[] {
  const norm = Math.hypot(...vector) || 1;
  return vector.map((value) => value / norm);
}
