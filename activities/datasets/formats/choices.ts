import { RowError, textOf, type Row } from '../rows/rows.js';
import type { Truth } from '../items/truth.js';

type ChoiceTruth = Extract<Truth, { kind: 'choice' }>;

export function letterOf(index: number): string {
  return String.fromCharCode('A'.charCodeAt(0) + index);
}

/** The choices without the letters that some layouts put before each: `B. text`, `(B) text`. */
export function bareChoices(choices: readonly string[]): string[] {
  const lettered = choices.every((choice, index) => new RegExp(`^\\(?${letterOf(index)}[.):]\\s`).test(choice));
  return choices.map((choice) => (lettered ? choice.replace(/^\(?[A-Z][.):]\s+/, '') : choice).trim());
}

/** The question followed by its lettered choices. */
export function questionWithChoices(question: string, choices: readonly string[]): string {
  return [question.trim(), ...choices.map((choice, index) => `${letterOf(index)}. ${choice}`)].join('\n');
}

/** @throws RowError where there are too few choices or the right one is not among them */
export function choiceTruth(choices: readonly string[], right: number): ChoiceTruth {
  if (choices.length < 2 || choices.length > 26) throw new RowError(`has ${choices.length} choices`);
  if (!Number.isInteger(right) || right < 0 || right >= choices.length) {
    throw new RowError('has an answer that is none of its choices');
  }
  return { kind: 'choice', letter: letterOf(right), choices: [...choices] };
}

/** Where the right choice is said to be: by an index or a letter, else by its content. -1 where it is not found. */
export function rightChoice(row: Row, choices: readonly string[], index: string, answer: string): number {
  const position = textOf(row, index);
  if (position !== undefined && /^\d+$/.test(position)) return Number(position);
  if (position !== undefined && /^[A-Z]$/.test(position)) return position.charCodeAt(0) - 'A'.charCodeAt(0);
  const content = textOf(row, answer) ?? '';
  const byContent = choices.indexOf(content);
  if (byContent >= 0) return byContent;
  const lettered = /^\(?([A-Z])(?:[.):]\s|$)/.exec(content)?.[1];
  return lettered === undefined ? -1 : lettered.charCodeAt(0) - 'A'.charCodeAt(0);
}
