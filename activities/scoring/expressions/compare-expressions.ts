import type { Complex, MathNode } from 'mathjs';
import type { Ruling } from '../../../contracts/scoring.js';
import { randomStream } from '../../datasets/random.js';
import { evaluateExactly } from './evaluate-exactly.js';
import { evaluateNumerically, variablesOf } from './evaluate-numerically.js';
import { parseExpression } from './parse-expression.js';
import { NotComparable } from './plain-notation.js';

/** Points at which expressions with variables are compared. */
const POINTS = 12;
/** Agreement at fewer points decides nothing. */
const MIN_POINTS = 4;
const MAX_VARIABLES = 6;
/** Of a chain of equal signs; each side is parsed. */
const MAX_SIDES = 100;
/** Relative difference below which floating-point values are those of equal expressions. */
const EQUAL = 1e-11;
/** Up to here they may be a rounded and an exact value, or rounding errors: undecided. */
const NEAR = 1e-3;

/**
 * Whether two expressions without wrappings are equal. Fractions are compared exactly. Others are compared at fixed random
 * points, in floating point: expressions that agree at all of them to eleven digits are equal, those that differ visibly at
 * one are not. Tuples, sets and intervals are compared part by part. Undecided where a text is no expression, or the values
 * are near each other. Bounded: at most 500 characters, some thousand digits, and no loop that the text controls.
 */
export function compareExpressions(answer: string, truth: string): Ruling {
  const rulings = signVariants(answer, truth).map(([given, wanted]) => compareMixed(given, wanted));
  if (rulings.includes('right')) return 'right';
  return rulings.every((ruling) => ruling === 'wrong') ? 'wrong' : 'undecided';
}

/** `50%` is 50 or 0.5, and `60°` is 60 or a third of pi, where the other expression does not have the sign. */
function signVariants(answer: string, truth: string): [string, string][] {
  const signs = [/%/g, /°/g].filter((sign) => answer.search(sign) < 0 !== truth.search(sign) < 0);
  const bare = (text: string) => text.replace(/[%°]/g, '');
  const scaled = (text: string) =>
    signs.length === 0 ? bare(text) : bare(text.replace(/%/g, '*(1/100)').replace(/°/g, '*(\\pi/180)'));
  return signs.length === 0
    ? [[bare(answer), bare(truth)]]
    : [[bare(answer), bare(truth)], [scaled(answer), scaled(truth)]]; // prettier-ignore
}

/** `2\frac{1}{2}` and `2 1/2` are two and a half; who meant a product is not told that it is wrong. */
function compareMixed(answer: string, truth: string): Ruling {
  const wanted = withMixedNumbers(truth);
  const given = withMixedNumbers(answer);
  const ruling = compareTexts(given, wanted);
  const isProduct = ruling === 'wrong' && given !== answer && compareTexts(answer, wanted) !== 'wrong';
  return isProduct ? 'undecided' : ruling;
}

function withMixedNumbers(text: string): string {
  return text
    .replace(/(?<![\d.}a-zA-Z^_])(\d+)\s*\\frac\s*(?:\{(\d+)\}\s*\{(\d+)\}|(\d)\s*(\d))/g, (_, whole, a, b, c, d) => {
      return `(${whole}+${a ?? c}/${b ?? d})`;
    })
    .replace(/(?<![\d./^_]\s*)(\d+)\s+(\d+)\/(\d+)(?![\d/.])/g, '($1+$2/$3)');
}

function compareTexts(answer: string, truth: string): Ruling {
  try {
    const [given, wanted] = [valueIn(answer), valueIn(truth)];
    if (given !== undefined && wanted !== undefined) return compareParts(given, wanted);
    return compareEquations(answer, truth);
  } catch (error) {
    if (error instanceof NotComparable) return 'undecided';
    throw error;
  }
}

/**
 * What a text says the value is: `x = 5`, `m + n = 5` and `2 + 3 = 5` say 5, `f(x) = x^2` says x^2. Undefined for any other
 * equation: whether `2x = 10` says 10 or 5, nobody knows.
 */
function valueIn(text: string): string | undefined {
  const sides = text.split(/(?<![<>=!:])=(?!=)/).map((side) => side.trim());
  if (sides.length === 1) return text;
  if (sides.length > MAX_SIDES) throw new NotComparable('too many equal signs');
  if (commasOutside(text).length > 0) return withoutNames(text);
  const values = sides.filter((side) => !isName(side));
  if (values.length === 0) return sides.at(-1);
  if (values.length === 1) return values[0];
  const isSame = values.every((value) => isConstant(value) && compareSingle(value, values[0]) === 'right');
  return isSame ? values.at(-1) : undefined;
}

/** `x`, `x_1`, `m + n`, `pq`, `f(2)`, `\angle ABC`, `Area`: a name of what is asked for, without numbers of its own. */
function isName(side: string): boolean {
  const plain = side.replace(/_\s*(?:\{[^{}]*\}|\w)/g, '').replace(/(?<=[a-zA-Z])\s*\([^()=]*\)/g, '');
  return (
    /^(?:[a-zA-Z]|\\[a-zA-Z]+(?![a-zA-Z{])|[\s+|'·*-])+$/.test(plain) &&
    !/\\(?:pi|infty)(?![a-zA-Z])/.test(plain) &&
    !/^\s*[ei]\s*$/.test(plain)
  );
}

function isConstant(text: string): boolean {
  return variablesOf(parseExpression(text)).length === 0;
}

/** `x = 1, x = 2` is `1, 2`. */
function withoutNames(text: string): string {
  const enclosing = /^([([{]|\\\{)[\s\S]*([)\]}]|\\\})$/.test(text);
  if (enclosing) return text;
  const bounds = [-1, ...commasOutside(text), text.length];
  const parts = bounds.slice(1).map((end, index) => text.slice(bounds[index] + 1, end));
  return parts
    .map((part) => part.replace(/^\s*(?:and |or )?\s*([^=]*)=(?!=)/, (all, name: string) => (isName(name) ? '' : all)))
    .join(',');
}

/** Equations are the same where the differences of their sides are in a fixed proportion. */
function compareEquations(answer: string, truth: string): Ruling {
  const [given, wanted] = [differenceOf(answer), differenceOf(truth)];
  const names = [...new Set([...variablesOf(given), ...variablesOf(wanted)])].sort();
  if (names.length === 0 || names.length > MAX_VARIABLES) return 'undecided';
  const ratios = pointsFor(names).map((values) => {
    const [a, b] = [evaluateNumerically(given, values), evaluateNumerically(wanted, values)];
    return a.im === 0 && b.im === 0 && b.re !== 0 ? a.re / b.re : Number.NaN;
  });
  const isFixed = ratios.every((ratio) => Math.abs(ratio - ratios[0]) <= EQUAL * Math.abs(ratios[0]));
  return isFixed && ratios[0] !== 0 ? 'right' : 'undecided';
}

function differenceOf(text: string): MathNode {
  const sides = text.split(/(?<![<>=!:])=(?!=)/);
  if (sides.length !== 2) throw new NotComparable('no equation');
  return parseExpression(`(${sides[0]})-(${sides[1]})`);
}

function compareParts(answer: string, truth: string): Ruling {
  const wanted = listOf(truth);
  const given = listOf(answer);
  if (!wanted && !given) return compareSingle(answer, truth);
  if (!wanted || !given || wanted.brackets !== given.brackets || wanted.parts.length !== given.parts.length) {
    return wanted && given && wanted.brackets !== '' && given.brackets !== '' ? 'wrong' : 'undecided';
  }
  if (wanted.brackets === '{}') return sameSet(given.parts, wanted.parts);
  const ruling = samePairs(given.parts, wanted.parts);
  // Without brackets it may be a set.
  return ruling === 'wrong' && wanted.brackets === '' && sameSet(given.parts, wanted.parts) !== 'wrong'
    ? 'undecided'
    : ruling;
}

function samePairs(given: readonly string[], wanted: readonly string[]): Ruling {
  const rulings = wanted.map((part, index) => compareSingle(given[index], part));
  if (rulings.includes('wrong')) return 'wrong';
  return rulings.includes('undecided') ? 'undecided' : 'right';
}

/** Right where each part finds a partner that no other has taken; wrong where one has none for sure. */
function sameSet(given: readonly string[], wanted: readonly string[]): Ruling {
  const left = [...given];
  let isSure = true;
  for (const part of wanted) {
    const rulings = left.map((candidate) => compareSingle(candidate, part));
    const partner = rulings.indexOf('right');
    if (partner >= 0) left.splice(partner, 1);
    else if (rulings.includes('undecided')) isSure = false;
    else return 'wrong';
  }
  return isSure && left.length === 0 ? 'right' : 'undecided';
}

/** The parts of `(a, b)`, `[a, b)`, `\{a, b\}` or `a, b`; undefined where there is no comma outside of brackets. */
function listOf(text: string): { brackets: string; parts: string[] } | undefined {
  if (/^\s*[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*$/.test(text)) return undefined;
  const bare = text.replace(/\\([{}])/g, '$1').trim();
  const enclosed = /^([([{])([\s\S]*)([)\]}])$/.exec(bare);
  const isWhole = enclosed !== null && commasOutside(bare).length === 0;
  const inner = isWhole ? enclosed[2] : bare;
  const cuts = commasOutside(inner);
  if (cuts.length === 0) return undefined;
  const bounds = [-1, ...cuts, inner.length];
  const parts = bounds.slice(1).map((end, index) => inner.slice(bounds[index] + 1, end).trim());
  return { brackets: isWhole ? enclosed[1] + enclosed[3] : '', parts };
}

function commasOutside(text: string): number[] {
  let depth = 0;
  return [...text].flatMap((character, position) => {
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    return character === ',' && depth === 0 ? [position] : [];
  });
}

function compareSingle(answer: string, truth: string): Ruling {
  const [given, wanted] = [parseExpression(answer), parseExpression(truth)];
  const [a, b] = [evaluateExactly(given), evaluateExactly(wanted)];
  if (a && b)
    return a.equals(b) ? 'right' : compareDifferentFractions(a.valueOf(), b.valueOf(), a.d === 1n && b.d === 1n);
  return compareAtPoints(given, wanted);
}

/** Different whole numbers are different; 0.333 may be meant as a third. */
function compareDifferentFractions(a: number, b: number, areWhole: boolean): Ruling {
  return !areWhole && isNear(Math.abs(a - b), Math.max(Math.abs(a), Math.abs(b))) ? 'undecided' : 'wrong';
}

function compareAtPoints(given: MathNode, wanted: MathNode): Ruling {
  const [own, asked] = [variablesOf(given), variablesOf(wanted)];
  const names = [...new Set([...own, ...asked])].sort();
  if (names.length > MAX_VARIABLES) return 'undecided';
  if (names.length === 0) return compareValues(evaluateNumerically(given, {}), evaluateNumerically(wanted, {}));
  const rulings = pointsFor(names).map((values) =>
    compareValues(evaluateNumerically(given, values), evaluateNumerically(wanted, values)),
  );
  // A letter after a number may be a unit: `5 m` is not the wrong answer where 5 is right.
  if (rulings.includes('wrong')) return asked.length === 0 ? 'undecided' : 'wrong';
  return rulings.filter((ruling) => ruling === 'right').length >= MIN_POINTS && !rulings.includes('undecided')
    ? 'right'
    : 'undecided';
}

function pointsFor(names: readonly string[]): Record<string, number>[] {
  const random = randomStream('scoring/points', ...names);
  return Array.from({ length: POINTS }, () =>
    Object.fromEntries(names.map((name) => [name, 0.3 + 2.4 * random.fraction()])),
  );
}

/** Undecided where there is no value, or the values are near each other without being equal. */
function compareValues(a: Complex, b: Complex): Ruling {
  if ([a.re, a.im, b.re, b.im].some(Number.isNaN)) return 'undecided';
  if (a.re === b.re && a.im === b.im) return 'right';
  const difference = Math.hypot(a.re - b.re, a.im - b.im);
  const size = Math.max(sizeOf(a), sizeOf(b));
  if (difference <= EQUAL * Math.max(size, 1) && Number.isFinite(size)) return 'right';
  return isNear(difference, size) && Number.isFinite(size) ? 'undecided' : 'wrong';
}

function sizeOf({ re, im }: Complex): number {
  return Math.hypot(re, im);
}

function isNear(difference: number, size: number): boolean {
  return difference <= NEAR * size;
}
