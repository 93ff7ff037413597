import { pauses } from '../pauses.js';
import type { ListedQuestion } from './dataset.js';

/** A held-out question and a training question that are the same, by their ids. */
export interface AskedTwice {
  heldOut: string;
  training: string;
}

/** Held-out questions that training asks too: word for word, but for case, white space and what ends the sentence. */
export async function askedInTraining(
  training: readonly ListedQuestion[],
  heldOut: readonly ListedQuestion[],
): Promise<AskedTwice[]> {
  const pause = pauses();
  const known = new Map<string, string>();
  for (const { id, question } of heldOut) {
    known.set(plain(question), id);
    await pause();
  }
  const found: AskedTwice[] = [];
  for (const { id, question } of known.size === 0 ? [] : training) {
    const same = known.get(plain(question));
    if (same !== undefined) found.push({ heldOut: same, training: id });
    await pause();
  }
  return found;
}

/** Signs inside stay: `3 + 4` is not `3 - 4`. */
function plain(question: string): string {
  return question
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/(?<![\s.?!])[\s.?!]+$/, '')
    .trim();
}
