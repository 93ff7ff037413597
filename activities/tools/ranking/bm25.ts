import MiniSearch from 'minisearch';

const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/** The places of the passages that share a word with the query, the best by BM25 first, ties in their order. */
export function rankByWords(query: string, passages: readonly string[]): number[] {
  const index = new MiniSearch<{ id: number; text: string }>({ fields: ['text'], tokenize });
  index.addAll(passages.map((text, id) => ({ id, text })));
  return index
    .search(query)
    .sort((a, b) => b.score - a.score || Number(a.id) - Number(b.id))
    .map(({ id }) => Number(id));
}

/** Words of any language, those without spaces included. */
function tokenize(text: string): string[] {
  return [...words.segment(text)].filter(({ isWordLike }) => isWordLike).map(({ segment }) => segment);
}
