import { compareExpressions } from '../expressions/compare-expressions.js';
import type { FinalAnswer } from '../final-answer.js';
import { ruled, UNDECIDED, WRONG, type Finding } from './finding.js';

const NUMBER = /[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?/g;

/**
 * Right where the answer has the number's value: as a number, as an expression, or as the one number in a sentence. A
 * sentence with several numbers is undecided.
 */
export function numberRule({ text }: FinalAnswer, truth: string): Finding {
  if (text.trim() === '') return WRONG;
  const ruling = compareExpressions(text, truth);
  if (ruling !== 'undecided') return { ruling };
  const numbers = new Set((text.match(NUMBER) ?? []).map((number) => Number(number.replaceAll(',', ''))));
  const isProse = !/[\\^/*=()]/.test(text);
  return isProse && numbers.size === 1 ? ruled(numbers.has(Number(truth))) : UNDECIDED;
}
