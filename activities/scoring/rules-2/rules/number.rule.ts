import { compareExpressions } from '../expressions/compare-expressions.js';
import { TAKEN_BACK } from '../reading/clauses.js';
import { plainCharacters } from '../reading/plain-characters.js';
import type { Statement } from '../reading/statement.js';
import { bare } from '../reading/wrappings.js';
import { RIGHT, UNDECIDED, WRONG, type Finding } from './finding.js';
import { plainNumber } from './plain-number.js';
import { saidExpression, type SaidExpression } from './said-expression.js';
import { isNotFinal, lastSentence, saidNumber, withoutOpenings, type SaidNumber } from './said-number.js';

const PROSE = /^[^\\|{}[\]<>≤≥≠±~≈_]+$/;
/** `5-6`, `2020-01-02`, `555-1234`, `10-12%`, `3/5/1932`: computed, it would be a difference or a quotient. */
const SPAN = /^\(?\d[\d.,]*\)?(?:\s*[-–—]\s*\d[\d.,]*)+$|^\d+(?:\/\d+){2,}$/;
/** `5 000`, `5'000`. */
const SPACED = /^[+-]?[1-9]\d{0,2}(?:(?: \d{3})+|(?:'\d{3})+)(?:\.\d+)?$/;
const CURRENCIES: readonly [name: string, sign: RegExp][] = [
  ['dollar', /\$|\bdollars?\b|\busd\b|\bus(?=\s*\d)/i],
  ['euro', /€|\beuros?\b|\beur\b/i],
  ['pound', /£|\bpounds?\b|\bgbp\b/i],
  ['yen', /¥|\byen\b|\bjpy\b/i],
  ['cent', /¢|\bcents?\b/i],
];
/** Debts as accountants write them, `($3)`, and what may be one or an item of a list, `- $3`. */
const MAYBE_NEGATIVE = /^(?:\(\s*\\?[$€£¥]\s*[\d.,]+\s*\)|-\s+\\?[$€£¥]\s*[\d.,]+)$/;

/**
 * Right where the answer has the number's value: as a number, as an expression, or as the one number that a sentence
 * says. Any other sentence is undecided. A truth that is a range or a date is no number: only the same text is right.
 */
export function numberRule({ readings, verbatim }: Statement, truth: string): Finding {
  if (readings.every((reading) => reading === '')) return WRONG;
  const wanted = bare(truth, 'mathematics');
  const said = unique([...readings, ...verbatim]);
  if (isSpan(truth)) return said.some((text) => plainSpan(text) === plainSpan(wanted)) ? RIGHT : UNDECIDED;
  if (said.includes(wanted) && !isComparable(wanted)) return RIGHT;
  if (said.some((text) => MAYBE_NEGATIVE.test(text) || isNotFinal(text)) || isOfAnotherCurrency(said, truth))
    return UNDECIDED;
  for (const reading of readings) {
    const found = compared(reading, wanted, readings.at(-1)!);
    if (found.ruling !== 'undecided') return found;
  }
  return UNDECIDED;
}

export function holdsNumber(text: string): boolean {
  return /\p{N}|\\(?:pi|infty)|[π∞]/u.test(text) || plainNumber(text) !== undefined;
}

/** `5 million`, `three`, `12:30` are not: only the same text is right. */
function isComparable(truth: string): boolean {
  return compared(truth, truth, truth).ruling === 'right';
}

/** Whether a truth is a range, a date or the number of a telephone. */
function isSpan(truth: string): boolean {
  return SPAN.test(
    bare(truth, 'mathematics')
      .replace(/[%$€£¥°]/g, '')
      .trim(),
  );
}

function plainSpan(text: string): string {
  return plainCharacters(text)
    .replace(/[–—]/g, '-')
    .replace(/[\s$\\]/g, '');
}

function isOfAnotherCurrency(said: readonly string[], truth: string): boolean {
  const wanted = currenciesIn(truth);
  // A dollar sign in an answer may delimit mathematics.
  const given = said.flatMap((text) => currenciesIn(text.replaceAll('$', '')));
  return wanted.length > 0 && given.some((name) => !wanted.includes(name));
}

function currenciesIn(text: string): string[] {
  return CURRENCIES.filter(([, sign]) => sign.test(text)).map(([name]) => name);
}

function compared(said: string, truth: string, whole: string): Finding {
  if (/^\[[^,]*\]$/.test(said)) return UNDECIDED;
  const text = sumOfNames(beforeExplanation(SPACED.test(said) ? said.replace(/[ ']/g, '') : said));
  const wanted = numberOf(truth) ?? { number: truth, unit: '', isAlone: true };
  const ruling = compareExpressions(withoutOpenings(text), wanted.number);
  if (ruling !== 'undecided') return { ruling };
  const given = numberOf(text) ?? numberOf(lastSentence(text));
  const expression = given ?? saidExpression(text);
  if (expression !== undefined && 'value' in expression) return concluded(expression, wanted.number);
  if (given === undefined || !isOfUnit(given, wanted)) return UNDECIDED;
  if (!given.isAlone && goesOnAfter(said, whole)) return UNDECIDED;
  return { ruling: compareExpressions(given.number, wanted.number) };
}

/** `The probability is \frac12.` */
function concluded({ value, isConclusion }: SaidExpression, wanted: string): Finding {
  const ruling = PROSE.test(value) ? 'undecided' : compareExpressions(value, wanted);
  return ruling === 'wrong' && !isConclusion ? UNDECIDED : { ruling };
}

function numberOf(text: string): SaidNumber | undefined {
  return PROSE.test(text) ? saidNumber(text) : undefined;
}

/** An answer may leave out the unit of the truth, and has no other one. */
function isOfUnit(said: SaidNumber, wanted: SaidNumber): boolean {
  const [given, asked] = [said, wanted].map(({ unit }) => unit.toLowerCase().replace(/[s%°]$/, ''));
  return given === '' || asked === '' || given === asked;
}

/** `She ate 3. So she has 5.`, `There are 5. How many are left?`: what is told before something else is not it. */
function goesOnAfter(sentence: string, whole: string): boolean {
  const rest = whole.startsWith(sentence) ? whole.slice(sentence.length) : '';
  return /[\p{N}?]|^\W*(?:then|next|now|she|he|they|we)\b/iu.test(rest);
}

/** The first line, if an explanation below ends in the same number. */
function beforeExplanation(text: string): string {
  const [, first, rest] = /^([^\n]+)\n+[*\s]*(?:explanation|reasoning|calculation)\s*:([\s\S]*)$/i.exec(text) ?? [];
  const last = rest?.match(/[+-]?\d[\d,]*(?:\.\d+)?/g)?.at(-1);
  return last && !TAKEN_BACK.test(rest) && compareExpressions(last, first) === 'right' ? first : text;
}

/** `m + n = 5` of `So m = 2, n = 3 and m + n = 5`. */
function sumOfNames(text: string): string {
  const parts = withoutOpenings(text).split(/\s*,\s*(?:and\s+)?|\s+and\s+/);
  const names = parts.slice(0, -1).map((part) => /^([a-z])\s*=\s*[^=\s]+$/.exec(part)?.[1]);
  const sum = parts.at(-1)!;
  const isOfThem = names.length > 1 && names.join('+') === sum.replace(/\s|=.*$/g, '');
  return isOfThem ? sum : text;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
