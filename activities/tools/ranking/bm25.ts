import MiniSearch from 'minisearch';

const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Passages that are indexed in one turn of the event loop: milliseconds. A long page has thousands. */
const CHUNK = 20;

/** The places of the passages that share a word with the query, the best by BM25 first, ties in their order. */
export async function rankByWords(query: string, passages: readonly string[]): Promise<number[]> {
  const index = new MiniSearch<{ id: number; text: string }>({ fields: ['text'], tokenize });
  await index.addAllAsync(
    passages.map((text, id) => ({ id, text })),
    { chunkSize: CHUNK },
  );
  return index
    .search(query)
    .sort((a, b) => b.score - a.score || Number(a.id) - Number(b.id))
    .map(({ id }) => Number(id));
}

/** Words of any language, those without spaces included. */
function tokenize(text: string): string[] {
  return [...words.segment(text)].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment);
}
