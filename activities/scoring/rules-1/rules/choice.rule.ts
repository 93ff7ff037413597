import type { FinalAnswer } from '../final-answer.js';
import { ruled, UNDECIDED, WRONG, type Finding } from './finding.js';
import { normalText } from './normal-text.js';

/**
 * The choice that an answer names, by its letter or its content. Undecided where it names none, several, or a letter with
 * the content of another: nothing is ever snapped to the nearest choice.
 */
export function choiceRule({ text }: FinalAnswer, letter: string, choices: readonly string[]): Finding {
  if (text.trim() === '') return WRONG;
  const named = new Set([byLetter(text, choices.length), byContent(text, choices)].filter((one) => one !== undefined));
  return named.size === 1 ? ruled(named.has(letter)) : UNDECIDED;
}

/** `B`, `(B)`, `B.`, `B) content`, `option B`, `\text{B}`. */
function byLetter(text: string, count: number): string | undefined {
  const bare = text.trim().replace(/^\\(?:text|mathrm|textbf)\{([\s\S]*)\}$/, '$1');
  const match =
    /^[([*"']*([A-Za-z])[)\]*"']*[.:]?$/.exec(bare) ??
    /^[(*[]*([A-Z])(?:[)\]*]+[.:]?|[.:])\s/.exec(bare) ??
    /^(?:option|choice|answer)\s+[(*"']*([A-Z])\b/i.exec(bare);
  const letter = match?.[1].toUpperCase();
  return letter !== undefined && letter.charCodeAt(0) - 'A'.charCodeAt(0) < count ? letter : undefined;
}

/** The one choice whose content the answer is, after a letter if it begins with one. */
function byContent(text: string, choices: readonly string[]): string | undefined {
  const contents = [text, text.replace(/^[(*[]*[A-Za-z](?:[)\]*]+[.:]?|[.:])\s+/, '')].map(exactly);
  const found = choices.flatMap((choice, index) => (contents.includes(exactly(choice)) ? [index] : []));
  return found.length === 1 ? String.fromCharCode('A'.charCodeAt(0) + found[0]) : undefined;
}

/** Choices may differ in signs only, `+1` and `-1`: those stay. */
function exactly(text: string): string {
  const words = normalText(text);
  const signs = text.replace(/[\p{L}\p{N}\s.,;:'"()*[\]]+/gu, '');
  return `${words}|${signs}`;
}
