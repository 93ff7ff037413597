import { isDeepStrictEqual } from 'node:util';

const TEXT = String.raw`"[^"\\]*(?:\\[^][^"\\]*)*"`;
const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?`;
const TOKEN = new RegExp(`${TEXT}|${NUMBER}`, 'g');
const NAME = new RegExp(String.raw`(${TEXT})(\s*:)?`, 'g');
/** What a number that a double may not hold has: 16 digits, or an exponent of 3. */
const PERHAPS_ROUNDED = /\d[\d.]{15}|\d[eE][+-]?\d{3}/;
/** What `toPrecision` gives at most. */
const MOST_DIGITS = 100;
/** Between a name and the number of its place; no name in a text of JSON holds it unescaped. */
const MARK = '\u0000';

/** An object of JSON names a thing twice and gives it different values: which is meant nobody knows. */
export class NamedTwice extends SyntaxError {}

/**
 * JSON as it is written: a number that a double would round becomes a text of its digits.
 * @throws SyntaxError that quotes nothing of the text but the name that is there twice
 */
export function parseJson(text: string): unknown {
  try {
    const exact = PERHAPS_ROUNDED.test(text) ? text.replace(TOKEN, exactly) : text;
    const value = JSON.parse(exact) as unknown;
    if (namesIn(value) !== namesWritten(exact)) withoutNumbers(JSON.parse(exact.replace(NAME, numbered())));
    return value;
  } catch (error) {
    if (error instanceof NamedTwice) throw error;
    // What stands around the place may be an answer, which no report shows.
    const [reason] = (error as Error).message.split(/, (?:\.\.\.)?"|, \.\.\./);
    throw new SyntaxError(reason, { cause: error });
  }
}

function exactly(token: string): string {
  return token.startsWith('"') || isHeld(token) ? token : `"${token}"`;
}

/** Whether a double is this number to the last digit that is written. */
function isHeld(token: string): boolean {
  const value = Number(token);
  if (/^-?\d+$/.test(token)) return Number.isSafeInteger(value);
  const digits = digitsOf(token);
  if (!Number.isFinite(value) || digits.length > MOST_DIGITS) return false;
  return digitsOf(value.toPrecision(Math.max(1, digits.length))) === digits;
}

/** Without sign, point, exponent and zeros before. */
function digitsOf(number: string): string {
  return number
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
}

function namesWritten(text: string): number {
  let count = 0;
  for (const [, , colon] of text.matchAll(NAME)) if (colon !== undefined) count += 1;
  return count;
}

function namesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, one) => sum + namesIn(one), own);
}

/** Makes every name another by a number behind it. */
function numbered(): (all: string, text: string, colon?: string) => string {
  let count = 0;
  return (all, text, colon) => (colon === undefined ? all : `${text.slice(0, -1)}\\u0000${(count += 1)}"${colon}`);
}

/** The value without the numbers behind its names. @throws NamedTwice */
function withoutNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNumbers);
  if (typeof value !== 'object' || value === null) return value;
  const named = new Map<string, unknown>();
  for (const [numberedName, one] of Object.entries(value)) {
    const name = numberedName.slice(0, numberedName.lastIndexOf(MARK));
    const inner = withoutNumbers(one);
    if (named.has(name) && !isDeepStrictEqual(named.get(name), inner)) {
      throw new NamedTwice(`has ${JSON.stringify(name.slice(0, 30))} twice, with different values`);
    }
    named.set(name, inner);
  }
  return Object.fromEntries(named);
}
