import type { Complex, MathNode } from 'mathjs';
import type { Ruling } from '../../../../contracts/scoring.js';
import { randomStream } from '../../../datasets/random.js';
import { evaluateExactly } from './evaluate-exactly.js';
import { evaluateNumerically, variablesOf } from './evaluate-numerically.js';
import { parseExpression } from './parse-expression.js';
import { NotComparable } from './plain-notation.js';

/** Points at which expressions with variables are compared. */
const POINTS = 12;
/** Agreement at fewer points decides nothing. */
const MIN_POINTS = 4;
const MAX_VARIABLES = 6;
/** Relative difference below which floating-point values are those of equal expressions. */
const EQUAL = 1e-11;
/** Up to here they may be a rounded and an exact value, or rounding errors: undecided. */
const NEAR = 1e-3;

/**
 * Whether two expressions are equal. Fractions are compared exactly. Others are compared at fixed random points, in
 * floating point: expressions that agree at all of them to eleven digits are equal, those that differ visibly at one are
 * not. Tuples, sets and intervals are compared part by part. Undecided where a text is no expression, or the values are
 * near each other. Bounded: at most 500 characters, some thousand digits, and no loop that the text controls.
 */
export function compareExpressions(answer: string, truth: string): Ruling {
  try {
    return compareParts(withoutName(answer), withoutName(truth));
  } catch (error) {
    if (error instanceof NotComparable) return 'undecided';
    throw error;
  }
}

/** `x = 5` is 5, `f(x) = x^2` is x^2. */
function withoutName(text: string): string {
  return text.replace(/^\s*\$*\s*(?:[a-zA-Z]|\\[a-z]+)(?:\([a-z]\))?\s*=(?!=)/, '').trim();
}

function compareParts(answer: string, truth: string): Ruling {
  const wanted = listOf(truth);
  const given = listOf(answer);
  if (!wanted && !given) return compareSingle(answer, truth);
  if (!wanted || !given || wanted.brackets !== given.brackets || wanted.parts.length !== given.parts.length) {
    return wanted && given ? 'wrong' : 'undecided';
  }
  return wanted.brackets === '{}' ? sameSet(given.parts, wanted.parts) : samePairs(given.parts, wanted.parts);
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
  const bare = text
    .replace(/\\(?:left|right|[,;! ])|\$/g, '')
    .replace(/\\([{}])/g, '$1')
    .trim();
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
  const random = randomStream('scoring/points', ...names);
  const rulings = Array.from({ length: POINTS }, () => {
    const values = Object.fromEntries(names.map((name) => [name, 0.3 + 2.4 * random.fraction()]));
    return compareValues(evaluateNumerically(given, values), evaluateNumerically(wanted, values));
  });
  // A letter after a number may be a unit: `5 m` is not the wrong answer where 5 is right.
  if (rulings.includes('wrong')) return asked.length === 0 ? 'undecided' : 'wrong';
  return rulings.filter((ruling) => ruling === 'right').length >= MIN_POINTS && !rulings.includes('undecided')
    ? 'right'
    : 'undecided';
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
