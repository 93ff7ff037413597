import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { FailureType } from '../../../contracts/failures.js';
import { wellFormed } from '../../../infra/database/well-formed.js';
import type { EmbeddingsSection } from '../../../infra/config/operator/embeddings.js';
import type { WithKey } from '../../../infra/config/secrets.js';
import { SERVICE_ANSWER_INVALID, ServiceClient } from '../http/service-client.js';

/** Texts to vectors, in their order, of one length and of unit norm. */
export interface Embedder {
  embedQuery(query: string, signal: AbortSignal): Promise<number[]>;
  embedPassages(passages: readonly string[], signal: AbortSignal): Promise<number[][]>;
}

/** Texts of one request. Hugging Face's text-embeddings-inference takes no more, unless it is told to. */
export const EMBEDDED_AT_ONCE = 32;

/** What servers answer if a text, or all of a request's together, are too long, or too many. */
const TOO_MUCH: readonly unknown[] = [400, 413, 422];
/** No model's context is full with so few. What is refused then is refused for another reason. */
const SHORTEST = 100;

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.array(z.number()).min(1) })),
});

/**
 * An embedding model behind an OpenAI-compatible address. Requests that are too much for it are divided, and of a text
 * that is too long by itself the beginning is embedded.
 * @param onShortened told of each such text
 */
export function openEmbedder(
  { url, model, key, query_prefix, passage_prefix }: WithKey<EmbeddingsSection>,
  onShortened: () => void = () => undefined,
): Embedder {
  const client = new ServiceClient('The embedding model');
  const address = new URL(`${url.replace(/\/$/, '')}/embeddings`);
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };

  const ask = async (input: readonly string[], signal: AbortSignal): Promise<number[][]> => {
    const body = { model, input, encoding_format: 'float' };
    return vectorsOf(await client.json(address, answerSchema, signal, { method: 'POST', headers, body }), input.length);
  };

  const embed = async (texts: readonly string[], signal: AbortSignal): Promise<number[][]> => {
    if (texts.length === 1) return embedBeginning(texts[0], signal);
    try {
      return await ask(texts, signal);
    } catch (error) {
      if (!isTooMuch(error)) throw error;
      const half = Math.ceil(texts.length / 2);
      return [...(await embed(texts.slice(0, half), signal)), ...(await embed(texts.slice(half), signal))];
    }
  };

  const embedBeginning = async (text: string, signal: AbortSignal): Promise<number[][]> => {
    for (let length = text.length; ; length = Math.ceil(length / 2)) {
      try {
        const vectors = await ask([wellFormed(text.slice(0, length))], signal);
        if (length < text.length) onShortened();
        return vectors;
      } catch (error) {
        if (!isTooMuch(error) || length <= SHORTEST) throw error;
      }
    }
  };

  return {
    embedQuery: async (query, signal) => (await embed([query_prefix + query], signal))[0],
    embedPassages: async (passages, signal) => {
      const vectors: number[][] = [];
      for (let start = 0; start < passages.length; start += EMBEDDED_AT_ONCE) {
        const texts = passages.slice(start, start + EMBEDDED_AT_ONCE).map((passage) => passage_prefix + passage);
        vectors.push(...(await embed(texts, signal)));
      }
      return vectors;
    },
  };
}

function isTooMuch(error: unknown): boolean {
  if (!(error instanceof ApplicationFailure) || error.type !== FailureType.ProviderRefused) return false;
  return TOO_MUCH.includes(error.details?.[0]);
}

/** By their index: servers compute the parts of a batch beside each other, and may list them as they were done. */
function vectorsOf({ data }: z.infer<typeof answerSchema>, count: number): number[][] {
  const sorted = [...data].sort((a, b) => a.index - b.index);
  if (sorted.length !== count || sorted.some(({ index }, place) => index !== place)) {
    throw invalid(`it has the indices ${indicesIn(data)} for ${count} texts, each of which is to be there once`);
  }
  const vectors = sorted.map(({ embedding }) => unit(embedding));
  if (vectors.some(({ length }) => length !== vectors[0].length)) throw invalid('its vectors are of several lengths');
  return vectors;
}

function indicesIn(data: z.infer<typeof answerSchema>['data']): string {
  return `[${data
    .slice(0, EMBEDDED_AT_ONCE)
    .map(({ index }) => index)
    .join(', ')}]`;
}

function unit(vector: readonly number[]): number[] {
  const norm = Math.hypot(...vector);
  if (norm > 0 && Number.isFinite(norm)) return vector.map((value) => value / norm);
  throw invalid('one of its vectors has no direction: all its numbers are 0, or too large');
}

function invalid(what: string): ApplicationFailure {
  return ApplicationFailure.retryable(
    `The answer of the embedding model cannot be used: ${what}.`,
    SERVICE_ANSWER_INVALID,
  );
}
