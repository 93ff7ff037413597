import { plainCharacters } from '../reading/plain-characters.js';
import type { Statement } from '../reading/statement.js';
import { bare } from '../reading/wrappings.js';
import { RIGHT, UNDECIDED, WRONG, type Finding } from './finding.js';
import { plainNumber, type PlainNumber } from './plain-number.js';
import { keysWithArticles } from './text-keys.js';

/** Not the commas of `1,000`; that of `1000,500` is one. */
const SEPARATOR = /;|(?<!(?<!\d)\d{1,3}(?:,\d{3})*),|,(?!\d{3}(?!\d))/;

/**
 * GAIA's answers: a number is compared as a number, a list part by part, in its order, and anything else as text
 * without space, punctuation and case. Numbers, and lists of numbers, are decided; texts that differ may still mean the
 * same.
 */
export function shortFormRule({ readings, verbatim }: Statement, truth: string): Finding {
  if (verbatim.includes(plainCharacters(truth).trim())) return RIGHT;
  if (readings.every((reading) => reading === '')) return WRONG;
  const findings = readings.map((reading) => compared(reading, truth));
  return findings.find(({ ruling }) => ruling !== 'undecided') ?? UNDECIDED;
}

function compared(text: string, truth: string): Finding {
  const wanted = partsOf(truth);
  const given = wanted.length > 1 ? partsOf(text) : [text];
  // `132,133,134` may be a number, and is a list of three.
  const isRight = [given, text.split(',')].some(
    (parts) => wanted.length === parts.length && wanted.every((part, index) => isSame(parts[index], part)),
  );
  if (isRight) return RIGHT;
  return [...wanted, ...given].every((part) => plainNumber(part) !== undefined) ? WRONG : UNDECIDED;
}

function partsOf(text: string): string[] {
  if (plainNumber(text) !== undefined) return [text];
  const list = /^\[([^[\]]*)\]$/.exec(text.trim())?.[1] ?? text;
  return list.split(SEPARATOR).map((part) => bare(part, 'words'));
}

function isSame(given: string, wanted: string): boolean {
  const number = plainNumber(wanted);
  if (number) return isSameNumber(plainNumber(given), number);
  const keys = formsOf(wanted);
  return formsOf(given).some((form) => keys.includes(form));
}

/** A unit may be left out or added; another one is another amount. */
function isSameNumber(given: PlainNumber | undefined, wanted: PlainNumber): boolean {
  const isOther = given !== undefined && given.unit !== '' && wanted.unit !== '' && given.unit !== wanted.unit;
  return given?.value === wanted.value && !isOther;
}

/** With its articles; space counts between digits only. */
function formsOf(text: string): string[] {
  return keysWithArticles(text).map((key) => key.replace(/(?<!\d) | (?!\d)/g, ''));
}
