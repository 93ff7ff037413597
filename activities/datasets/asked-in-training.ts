import type { ListedQuestion } from './dataset.js';

/** A held-out question and a training question that are the same, by their ids. */
export interface AskedTwice {
  heldOut: string;
  training: string;
}

/** Held-out questions that training asks too: word for word, but for case, white space and what ends the sentence. */
export function askedInTraining(training: readonly ListedQuestion[], heldOut: readonly ListedQuestion[]): AskedTwice[] {
  const known = new Map(heldOut.map(({ id, question }) => [plain(question), id]));
  return training.flatMap(({ id, question }) => {
    const same = known.get(plain(question));
    return same === undefined ? [] : [{ heldOut: same, training: id }];
  });
}

/** Signs inside stay: `3 + 4` is not `3 - 4`. */
function plain(question: string): string {
  return question
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/[\s.?!]+$/, '')
    .trim();
}
