import MiniSearch from 'minisearch';
import type { Passage } from '../../datasets/dataset.js';

const STOP_WORDS = new Set(
  'a an and are at by for from how in is it its of on or than that the to was what which who'.split(' '),
);
const MAX_PASSAGES = 3;
/** Passages that score nearly as well as the best one are returned with it. */
const NEAR_BEST = 0.9;

/** A full-text index over short passages. */
export class PassageIndex {
  private readonly index: MiniSearch<Passage>;
  private readonly order: ReadonlyMap<string, number>;

  constructor(passages: readonly Passage[]) {
    this.order = new Map(passages.map(({ id }, position) => [id, position]));
    this.index = new MiniSearch({ fields: ['text'], storeFields: ['text'], processTerm: indexTerm });
    this.index.addAll(passages);
  }

  /** The best passages for the query, best first, ties in the order of the passages. Empty where nothing matches. */
  search(query: string): string[] {
    const found = this.index.search(query, { fuzzy: allowedTypos });
    const best = found[0]?.score ?? 0;
    return found
      .filter(({ score }) => score >= best * NEAR_BEST)
      .sort((a, b) => b.score - a.score || this.position(a.id) - this.position(b.id))
      .slice(0, MAX_PASSAGES)
      .map(({ text }) => text as string);
  }

  private position(id: unknown): number {
    return this.order.get(id as string) ?? Infinity;
  }
}

function indexTerm(term: string): string | null {
  const word = term.toLowerCase();
  return STOP_WORDS.has(word) ? null : word;
}

/** One wrong letter in a longer word; numbers must match exactly. */
function allowedTypos(term: string): number | false {
  return term.length > 4 && !/\d/.test(term) ? 1 : false;
}
