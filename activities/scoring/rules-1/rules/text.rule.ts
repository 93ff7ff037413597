import type { FinalAnswer } from '../final-answer.js';
import { plainNumber } from './plain-number.js';
import { UNDECIDED, WRONG, type Finding } from './finding.js';
import { normalText, wordF1 } from './normal-text.js';

/** Texts of more words are not looked through for words in common. */
const MAX_LENGTH = 2_000;

/**
 * Right where the answer is one of the texts. Wrong where it is empty, the other of yes and no, or another number than a
 * truth that is a number. Else no rule can tell: `USA` may be `the United States`.
 */
export function textRule({ text }: FinalAnswer, answers: readonly string[]): Finding {
  const given = normalText(text);
  if (given === '') return { ...WRONG, f1: 0 };
  const f1 = Math.max(...answers.map((answer) => wordF1(text.slice(0, MAX_LENGTH), answer)));
  if (answers.some((answer) => normalText(answer) === given)) return { ruling: 'right', f1 };
  const yesOrNo = sideOf(given);
  const wanted = answers.length === 1 ? sideOf(normalText(answers[0])) : undefined;
  if (wanted !== undefined && yesOrNo !== undefined) return { ruling: wanted === yesOrNo ? 'right' : 'wrong', f1 };
  const number = plainNumber(text);
  const numbers = answers.map(plainNumber);
  if (number !== undefined && numbers.every((value) => value !== undefined)) {
    return { ruling: numbers.includes(number) ? 'right' : 'wrong', f1 };
  }
  return { ...UNDECIDED, f1 };
}

function sideOf(text: string): string | undefined {
  return /^(yes|no)\b/.exec(text)?.[1];
}
