import { compareExpressions } from '../expressions/compare-expressions.js';
import type { FinalAnswer } from '../final-answer.js';
import { RIGHT, WRONG, type Finding } from './finding.js';
import { normalText } from './normal-text.js';

/** Right where the answer is the expression, letter by letter or as a value. */
export function expressionRule({ text }: FinalAnswer, truth: string): Finding {
  if (text.trim() === '') return WRONG;
  if (text.trim() === truth.trim()) return RIGHT;
  const words = /^[A-Za-z][a-z]{2,}[\w\s-]*$/;
  if (words.test(text) && words.test(truth)) {
    return normalText(text) === normalText(truth) ? RIGHT : { ruling: 'undecided' };
  }
  return { ruling: compareExpressions(text, truth) };
}
