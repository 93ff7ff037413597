import type { Statement } from '../reading/statement.js';
import { plainCharacters } from '../reading/plain-characters.js';
import { ruled, RIGHT, UNDECIDED, WRONG, type Finding } from './finding.js';
import { plainNumber, type PlainNumber } from './plain-number.js';
import { textKeys, wordF1 } from './text-keys.js';
import { sideOf } from './yes-or-no.js';

/** Texts of more words are not looked through for words in common. */
const MAX_LENGTH = 2_000;

/**
 * Right where the answer is one of the texts. Wrong where it is empty, the other of yes and no, or another number than
 * a truth that is a number. Else no rule can tell: `USA` may be `the United States`.
 */
export function textRule({ readings, verbatim }: Statement, answers: readonly string[]): Finding {
  const best = readings[0].slice(0, MAX_LENGTH);
  return { ...ruling(readings, verbatim, answers), f1: wordF1(best, answers) };
}

function ruling(readings: readonly string[], verbatim: readonly string[], answers: readonly string[]): Finding {
  if (answers.some((answer) => verbatim.includes(plainCharacters(answer).trim()))) return RIGHT;
  if (readings.every((reading) => reading === '')) return WRONG;
  const sides = answers.map(sideOf);
  if (sides.every((side) => side !== undefined)) return compareSides(sideOf(readings.at(-1)!), sides);
  const keys = new Set(answers.flatMap(textKeys));
  if ([...new Set([...readings, ...verbatim])].some((said) => textKeys(said).some((key) => keys.has(key))))
    return RIGHT;
  const number = readings.map(plainNumber).find((one) => one !== undefined);
  const numbers = answers.map(plainNumber);
  if (number === undefined || !numbers.every((one) => one !== undefined)) return UNDECIDED;
  return compared(number, numbers);
}

/**
 * A name in the place of an answer: in a sentence, but behind a preposition and as its subject, names are of something
 * else (`It is the capital of France`, `Hugo died there`); behind a verb (`It is London`) they may be another answer.
 */
const OBJECT =
  /(?<=\p{L}\s+)(?<!(?<!\p{L})(?:of|in|from|by|at|near|with|between|and|on|for|as|into|during|under|over|after|before|since|until|within|through|the|an?|his|her|its|their|\p{Lu}[\p{L}.'’-]*|(?:the|an?) \p{Ll}+)\s+)(?:[Tt]he\s+)?\p{Lu}\p{L}/u;

/** Whether a sentence names what may be another text. */
export function namesAnother(sentence: string): boolean {
  return OBJECT.test(sentence.replace(/^(?:(?:because|since|note that|this is because|as)\s+)/i, ''));
}

/** All of an answer is read: its first sentence may say no because nothing was found. */
function compareSides(side: string | undefined, wanted: readonly string[]): Finding {
  return side === undefined ? UNDECIDED : ruled(wanted.includes(side));
}

/**
 * An answer may leave out the unit of the truth, and has no other one. `007` and `7`, `3.10` and `3.1` have one value
 * only.
 */
function compared(given: PlainNumber, wanted: readonly PlainNumber[]): Finding {
  const equal = wanted.filter(({ value }) => value === given.value);
  if (equal.length === 0) return WRONG;
  return equal.some(({ unit, written }) => written === given.written && unit !== given.unit && given.unit === '')
    ? RIGHT
    : UNDECIDED;
}
