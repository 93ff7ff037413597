import { pauses } from '../../pauses.js';
import type { Item } from './item.js';

/** A training question that was left out, and the words that it shares with a held-out question. */
export interface Overlap {
  item: string;
  /** Whose held-out question it is: a benchmark's, or that of the dataset itself. */
  benchmark: string;
  question: string;
  words: string;
}

/**
 * Finds questions that share a run of words with a benchmark. Words are compared in lower case, without punctuation.
 * `length` words in a row are an overlap; a benchmark question of fewer words is one only as a whole.
 */
export class OverlapFilter {
  /** By number of words: each run of words, with the first benchmark question that has it. */
  private readonly runs = new Map<number, Map<string, { benchmark: string; question: string }>>();
  private readonly pause = pauses();

  constructor(private readonly length: number) {}

  async add(benchmark: string, questions: Iterable<Pick<Item, 'id' | 'question'>>): Promise<void> {
    for (const { id, question } of questions) {
      const words = wordsOf(question);
      const size = Math.min(this.length, words.length);
      const known = this.runs.get(size) ?? new Map<string, { benchmark: string; question: string }>();
      this.runs.set(size, known);
      for (const run of runsOf(words, size)) if (!known.has(run)) known.set(run, { benchmark, question: id });
      await this.pause();
    }
  }

  /** The items that share no run of words with a benchmark, and the overlaps of the others. */
  async without(items: readonly Item[]): Promise<{ kept: Item[]; overlapping: Overlap[] }> {
    const kept: Item[] = [];
    const overlapping: Overlap[] = [];
    for (const item of items) {
      const overlap = await this.find(item);
      if (overlap) overlapping.push(overlap);
      else kept.push(item);
    }
    return { kept, overlapping };
  }

  /** The first overlap of a question, the longest runs first; undefined where there is none. */
  private async find({ id, question }: Item): Promise<Overlap | undefined> {
    const words = wordsOf(question);
    for (const size of [...this.runs.keys()].sort((a, b) => b - a)) {
      for (const run of runsOf(words, size)) {
        const found = this.runs.get(size)?.get(run);
        if (found) return { item: id, ...found, words: run };
      }
      await this.pause();
    }
    return undefined;
  }
}

function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .normalize('NFKC')
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

function* runsOf(words: readonly string[], size: number): Generator<string> {
  if (size === 0) return;
  for (let start = 0; start + size <= words.length; start += 1) yield words.slice(start, start + size).join(' ');
}
