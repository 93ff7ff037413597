import type { FinalAnswer } from '../final-answer.js';
import { ruled, UNDECIDED, WRONG, type Finding } from './finding.js';
import { plainNumber } from './plain-number.js';

/**
 * GAIA's answers: a number is compared as a number, a list part by part, in its order, and anything else as text without
 * space, punctuation and case. Numbers, and lists of numbers, are decided; texts that differ may still mean the same.
 */
export function shortFormRule({ text }: FinalAnswer, truth: string): Finding {
  if (text.trim() === '') return WRONG;
  const wanted = partsOf(truth);
  const given = wanted.length > 1 ? partsOf(text) : [text];
  const isRight = wanted.length === given.length && wanted.every((part, index) => isSame(given[index], part));
  if (isRight) return ruled(true);
  const decidable = [...wanted, ...given].every((part) => plainNumber(part) !== undefined);
  return decidable ? WRONG : UNDECIDED;
}

function partsOf(text: string): string[] {
  if (plainNumber(text) !== undefined) return [text];
  return text.split(/[,;]/).map((part) => part.trim());
}

function isSame(given: string, wanted: string): boolean {
  const number = plainNumber(wanted);
  return number === undefined ? bare(given) === bare(wanted) : plainNumber(given) === number;
}

function bare(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[\s\p{P}]+/gu, '');
}
