import type { Truth } from './items/truth.js';

/** What a question of this kind wants as its answer, in words for the module that writes the answer. */
export function answerForm(kind: Truth['kind']): string | undefined {
  switch (kind) {
    case 'exact-number':
      return undefined;
    case 'number':
      return 'Answer with the number alone.';
    case 'expression':
      return 'Answer with the mathematical expression alone.';
    case 'choice':
      return 'Answer with the letter of the right choice alone.';
    case 'text':
      return 'Answer with a name, date, number or a few words, not with a sentence.';
    case 'short-form':
      return (
        'Answer with a number, as few words as possible, or a comma-separated list of these: numbers without units ' +
        'and separators unless they are asked for, words without articles and abbreviations.'
      );
    case 'twenty-four':
      return 'Answer with one expression alone.';
  }
}
