import type { Ruling } from '../../../../contracts/scoring.js';

const WITH_BASE = /^\(?([0-9a-zA-Z]+)\)?_\s*(?:\{\s*(\d{1,2})\s*\}|(\d))$/;
const NUMERAL = /^[0-9a-zA-Z]+$/;

/**
 * Compares an answer with a number that has its base below the line, `1011_2`: by the digits and the base, which an
 * answer may leave out. Undefined where the truth is no such number. A number of another base, or the value in base ten,
 * is undecided.
 */
export function compareWithBase(answer: string, truth: string): Ruling | undefined {
  const wanted = readWithBase(truth);
  if (wanted === undefined) return undefined;
  const bare = NUMERAL.test(answer) ? { digits: answer.toUpperCase(), base: wanted.base } : undefined;
  const given = readWithBase(answer) ?? bare;
  if (given === undefined || given.base !== wanted.base) return 'undecided';
  if (given.digits === wanted.digits) return 'right';
  return answer === String(parseInt(wanted.digits, wanted.base)) ? 'undecided' : 'wrong';
}

function readWithBase(text: string): { digits: string; base: number } | undefined {
  const [, digits, braced, single] = WITH_BASE.exec(text.trim()) ?? [];
  if (digits === undefined || !/^\d/.test(digits)) return undefined;
  return { digits: digits.toUpperCase(), base: Number(braced ?? single) };
}
