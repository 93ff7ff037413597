import type { Lengths, TokenLengths } from '../../contracts/dataset-check.js';
import type { Item } from './items/item.js';

const SHOWN = 5;

/** Tokens of a model, counted. */
export interface TokenCounts extends Pick<TokenLengths, 'model' | 'context' | 'prompt' | 'plan'> {
  /** What each question adds to the prompt, in the order of the questions. */
  questions: number[];
}

export function lengthsOf(lengths: readonly number[]): Lengths {
  const sorted = lengths.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { median: at(0.5), p95: at(0.95), longest: at(1) };
}

/** @param counts of these items' questions */
export function tokenLengths(
  items: readonly Pick<Item, 'id'>[],
  { model, context, prompt, plan, questions }: TokenCounts,
): TokenLengths {
  const room = Math.max(0, context - prompt - plan);
  const tooLong = items.filter((_, index) => questions[index] > room).map(({ id }) => id);
  return {
    model,
    context,
    prompt,
    plan,
    room,
    question: lengthsOf(questions),
    tooLong: { count: tooLong.length, first: tooLong.slice(0, SHOWN) },
  };
}
