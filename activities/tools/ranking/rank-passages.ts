import { rankByWords } from './bm25.js';
import type { Embedder } from './embedder.js';

/** Passages that are embedded at most: the best by words, then the first. */
const EMBEDDED = 256;

/**
 * The places of all passages, the best for the query first: by the embeddings' cosine where there is a model, else by
 * BM25. What neither ranks follows in its order.
 */
export async function rankPassages(
  query: string,
  passages: readonly string[],
  embedder: Embedder | undefined,
  signal: AbortSignal,
): Promise<number[]> {
  const byWords = completed(await rankByWords(query, passages), passages.length);
  if (!embedder || passages.length === 0) return byWords;
  const candidates = byWords.slice(0, EMBEDDED);
  const asked = await embedder.embedQuery(query, signal);
  const vectors = await embedder.embedPassages(
    candidates.map((place) => passages[place]),
    signal,
  );
  const scores = new Map(candidates.map((place, index) => [place, dot(asked, vectors[index])]));
  const byMeaning = candidates.sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0) || a - b);
  return completed(byMeaning, passages.length);
}

function completed(ranked: number[], length: number): number[] {
  const seen = new Set(ranked);
  return [...ranked, ...Array.from({ length }, (_, place) => place).filter((place) => !seen.has(place))];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index], 0);
}
