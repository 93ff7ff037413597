import { complex } from 'mathjs';
import type { Complex, FunctionNode, MathNode, OperatorNode, ParenthesisNode, SymbolNode } from 'mathjs';
import type { Ruling } from '../../../contracts/scoring.js';
import { randomStream } from '../../datasets/random.js';
import { isRoundedTo, withAside } from './asides.js';
import { hasOtherConstants, withConstantOf } from './constants-of-integration.js';
import { evaluateExactly } from './evaluate-exactly.js';
import { evaluateNumerically, variablesOf } from './evaluate-numerically.js';
import { evaluatePrecisely } from './evaluate-precisely.js';
import { compareWithBase } from './number-with-base.js';
import { parseExpression } from './parse-expression.js';
import { NotComparable } from './not-comparable.js';
import { isOfTheSame, namedParts, saidBy, sidesOf, type Said } from './said-value.js';

/** Points at which expressions with variables are compared. */
const POINTS = 12;
/** Of them so many are far from zero, where `|x - 5|` and `5 - x` differ, up to this size. */
const FAR_POINTS = 16;
const WHOLE = [1, 2, 3, 4, 5, 6];
const MAX_SIZE = 250;
/** Agreement at fewer points decides nothing. */
const MIN_POINTS = 4;
const MAX_VARIABLES = 6;
/** Digits to which values are computed that are equal in floating point, and at how many points. */
const DIGITS = [30, 60];
const PRECISE_POINTS = 2;
/** Relative difference below which floating-point values are those of equal expressions. */
const EQUAL = 1e-11;
/** A number from 1 on; one below is rather a share. */
const PERCENTAGE = /^[+-]?[1-9]\d*(?:\.\d+)?$/;
/** `1/2x` is a half of x, or one by 2x. */
const AMBIGUOUS = /(?<![\d.}])\d+\s*\/\s*\d+(?:[a-zA-Z](?![a-zA-Z])|\()/;
/** Up to here they may be a rounded and an exact value, or rounding errors: undecided. */
const NEAR = 1e-3;

/**
 * Whether two expressions without wrappings are equal. Fractions are compared exactly. Others are compared at fixed
 * random points above and below zero, near it and far from it, in floating point: those that differ visibly at one where the truth is defined
 * are not equal, and those that agree at all of them to eleven digits are, if they also do to forty-five digits at
 * some. Tuples, sets and intervals are compared part by part. Undecided where a text is no expression, or the values
 * are near each other. Bounded: at most 500 characters, some thousand digits, and no loop that the text controls.
 */
export function compareExpressions(answer: string, truth: string): Ruling {
  const [given, wanted] = [answer, truth].map((text) => text.replace(/\s*\bper ?cent\b/g, '%').trim());
  if (AMBIGUOUS.test(given) && given !== wanted) return 'undecided';
  const own = withConstantOf(wanted, given);
  const ruling = compareWithBase(own, wanted) ?? compareRepeated(own, wanted) ?? compareOnce(own, wanted);
  return ruling === 'wrong' && isUnclear(given, wanted) ? 'undecided' : ruling;
}

/** What is said twice, `0.5 (1/2)`; undefined where the answer is no such text. It may be meant as a product, `2 (2)`. */
function compareRepeated(answer: string, truth: string): Ruling | undefined {
  const [main, aside] = withAside(answer) ?? [];
  if (main === undefined || aside === undefined || !isRepeated(main, aside)) return undefined;
  const ruling = compareOnce(main, truth);
  const isOther = ruling === 'wrong' && [aside, answer].some((text) => compareOnce(text, truth) === 'right');
  return isOther ? 'undecided' : ruling;
}

function isRepeated(main: string, aside: string): boolean {
  try {
    const value = saidBy(main, isSameConstant)?.value ?? main;
    const [one, other] = [value, aside].map((text) => parseExpression(text.replace(/\s*\\?%/, '*(1/100)')));
    if (variablesOf(one).length > 0 || variablesOf(other).length > 0) return false;
    const [a, b] = [one, other].map((node) => evaluateNumerically(node, {}));
    return a.im === 0 && b.im === 0 && isRoundedTo(a.re, b.re, [value, aside]);
  } catch (error) {
    if (error instanceof NotComparable) return false;
    throw error;
  }
}

/** Whether a dash may begin the item of a list, `- 18`, or a constant of integration has another name. */
function isUnclear(answer: string, truth: string): boolean {
  const item = /^[-–—]\s+(.+)$/.exec(answer)?.[1];
  return (item !== undefined && compareOnce(item, truth) !== 'wrong') || hasOtherConstants(answer, truth);
}

function compareOnce(answer: string, truth: string): Ruling {
  const variants = signVariants(answer, truth).map(([given, wanted]) => compareMixed(given, wanted));
  const rulings = [...variants, compareButForPercent(answer, truth)];
  if (rulings.includes('right')) return 'right';
  return rulings.every((ruling) => ruling === 'wrong') ? 'wrong' : 'undecided';
}

/**
 * Compares what one of both has beside a percent sign. Benchmarks leave the sign of a truth to the question, so `33%`
 * is right for 33. Whether `0.5%` was meant for 0.5, or `90%` for ninety degrees, nobody knows.
 */
function compareButForPercent(answer: string, truth: string): Ruling {
  if (answer.includes('%') === truth.includes('%')) return 'wrong';
  const [given, wanted] = [answer, truth].map((text) => text.replace(/\\?%/g, '').trim());
  const ruling = compareMixed(given, wanted);
  return ruling === 'right' && !PERCENTAGE.test(wanted) ? 'undecided' : ruling;
}

/** A percent sign is a hundredth. `60°` is 60 or a third of pi, where the other expression does not have the sign. */
function signVariants(answer: string, truth: string): [string, string][] {
  const inHundredths = (text: string) => text.replace(/\s*%/g, '*(1/100)').replace(/\s*\bdegrees?$/, '°');
  const [given, wanted] = [inHundredths(answer), inHundredths(truth)];
  const bare = (text: string) => text.replace(/°/g, '');
  const inRadians = (text: string) => text.replace(/(\d+(?:\.\d+)?)\s*°/g, '($1\\pi/180)').replace(/°/g, '*(\\pi/180)');
  if ([answer, truth].some((text) => text.includes('°') && /\b(?:sin|cos|tan|cot|sec|csc)/.test(text))) {
    return [[inRadians(given), inRadians(wanted)]];
  }
  const isBare: [string, string] = [bare(given), bare(wanted)];
  if (given.includes('°') === wanted.includes('°') || answer.includes('%') !== truth.includes('%')) return [isBare];
  // An angle in radians has pi in it, and is none in degrees.
  if (/\\pi|π|\bpi\b/.test(truth)) return [[inRadians(given), inRadians(wanted)]];
  return [isBare, [inRadians(given), inRadians(wanted)]];
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
    if ([answer, truth].some((text) => isNamedList(text))) return compareNamedLists(answer, truth);
    const [given, wanted] = [saidBy(answer, isSameConstant), saidBy(truth, isSameConstant)];
    if (given === undefined || wanted === undefined) return compareEquations(answer, truth);
    if (isOfTheSame(given, wanted)) return compareParts(given.value, wanted.value);
    return compareEquations(answer, truth);
  } catch (error) {
    if (error instanceof NotComparable) return 'undecided';
    throw error;
  }
}

function isSameConstant(one: string, other: string): boolean {
  return isConstant(one) && isConstant(other) && compareSingle(one, other) === 'right';
}

function isConstant(text: string): boolean {
  return variablesOf(parseExpression(text)).length === 0;
}

/** `x = 1, y = 2`: equations in a list that no brackets enclose. */
function isNamedList(text: string): boolean {
  const isEnclosed = /^([([{]|\\\{)[\s\S]*([)\]}]|\\\})$/.test(text.trim());
  return !isEnclosed && text.includes('=') && commasOutside(text).length > 0;
}

/**
 * Part by part; those of different names may be in another order, and the names must be the truth's, if it has some.
 */
function compareNamedLists(answer: string, truth: string): Ruling {
  const [given, wanted] = [namedParts(partsOf(answer)), namedParts(partsOf(truth))];
  const named = wanted.map((part) => given.filter((other) => other.names.length > 0 && isOfTheSame(other, part)));
  const isByName = wanted.length === given.length && named.every((found) => found.length === 1);
  const ordered = isByName ? named.map(([part]) => part) : given;
  const isOfOthers = ordered.some((part, index) => wanted[index] && !isOfTheSame(part, wanted[index]));
  if (isOfOthers) return 'undecided';
  const values = (parts: readonly Said[]) => parts.map(({ value }) => value).join(',');
  return compareParts(values(ordered), values(wanted));
}

/** `2, 3, and 4` has three. */
function partsOf(text: string): string[] {
  const bounds = [-1, ...commasOutside(text), text.length];
  const parts = bounds.slice(1).map((end, index) => text.slice(bounds[index] + 1, end));
  return parts.map((part, index) => (index > 0 ? part.replace(/^\s*(?:and|or)\s+/, '') : part));
}

/** Equations are the same where the differences of their sides are in a fixed proportion. */
function compareEquations(answer: string, truth: string): Ruling {
  const [given, wanted] = [differenceOf(answer), differenceOf(truth)];
  const names = [...new Set([...variablesOf(given), ...variablesOf(wanted)])].sort();
  if (names.length === 0 || names.length > MAX_VARIABLES) return 'undecided';
  const ratios = pointsFor(names).map((values) => {
    const [a, b] = [evaluateNumerically(given, values), evaluateNumerically(wanted, values)];
    if (!isReal(a) && !isReal(b)) return undefined;
    return isReal(a) && isReal(b) && b.re !== 0 ? a.re / b.re : Number.NaN;
  });
  const known = ratios.filter((ratio) => ratio !== undefined);
  const isFixed = known.every((ratio) => Math.abs(ratio - known[0]) <= EQUAL * Math.abs(known[0]));
  return known.length >= MIN_POINTS && isFixed && known[0] !== 0 ? 'right' : 'undecided';
}

function differenceOf(text: string): MathNode {
  const sides = sidesOf(text);
  if (sides?.length !== 2) throw new NotComparable('no equation');
  return parseExpression(`(${sides[0]})-(${sides[1]})`);
}

function compareParts(answer: string, truth: string): Ruling {
  const [rows, asked] = [matrixOf(answer), matrixOf(truth)];
  if (rows && asked) return compareMatrices(rows, asked);
  const wanted = listOf(truth);
  const given = listOf(answer);
  if (!wanted && !given) return compareSingle(answer, truth);
  if (!wanted || !given || wanted.brackets !== given.brackets || wanted.parts.length !== given.parts.length) {
    // An interval of another kind is another; `[1, 2, 3]` may be meant as a set.
    const isSure = wanted && given && wanted.brackets !== '' && given.brackets !== '';
    return isSure && (wanted.parts.length !== given.parts.length || wanted.parts.length === 2) ? 'wrong' : 'undecided';
  }
  if (wanted.brackets === '{}') return sameSet(given.parts, wanted.parts);
  const ruling = samePairs(given.parts, wanted.parts);
  // Without brackets it may be a set.
  return ruling === 'wrong' && wanted.brackets === '' && sameSet(given.parts, wanted.parts) !== 'wrong'
    ? 'undecided'
    : ruling;
}

/** The rows of a matrix in parentheses or brackets. */
function matrixOf(text: string): string[][] | undefined {
  const [, , inner] = /^\s*\\begin\{([pb]matrix)\}([\s\S]*)\\end\{\1\}\s*$/.exec(text) ?? [];
  return (inner as string | undefined)
    ?.replace(/\\\\\s*$/, '')
    .split('\\\\')
    .map((row) => row.split('&'));
}

function compareMatrices(given: readonly string[][], wanted: readonly string[][]): Ruling {
  const isOfShape = given.length === wanted.length && given.every((row, at) => row.length === wanted[at].length);
  return isOfShape ? samePairs(given.flat(), wanted.flat()) : 'wrong';
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
  const parts = partsOf(inner).map((part) => part.trim());
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
  if (names.length === 0) return compareConstants(given, wanted);
  const points = pointsFor(names).map((values) => pointOf(given, wanted, values));
  const isComplex =
    [given, wanted].some(isOfImaginaryNumbers) || points.filter(({ b }) => isReal(b)).length < MIN_POINTS;
  const rulings = points.flatMap((point) => rulingAt(point, isComplex));
  // A letter after a number may be a unit: `5 m` is not the wrong answer where 5 is right.
  if (rulings.includes('wrong'))
    return asked.length === 0 || isOnlyBelowZero(points, isComplex) || areEqualIfWhole(given, wanted, names)
      ? 'undecided'
      : 'wrong';
  if (rulings.some((ruling) => ruling !== 'right')) return 'undecided';
  const exact = points.filter(({ a, b }) => isReal(a) && isReal(b)).slice(0, PRECISE_POINTS);
  const isEqual = exact.every(({ values }) => isPreciselyEqual(given, wanted, values) !== false);
  const far = isEqual && !isComplex ? farPointsFor(names).map((values) => isEqualFar(given, wanted, values)) : [];
  const agreed = rulings.length + far.filter((isSame) => isSame === true).length;
  return isEqual && agreed >= MIN_POINTS && !far.includes(false) ? 'right' : 'undecided';
}

/**
 * Far from zero floating point may tell equal expressions apart: what differs there is computed to many digits. Undefined
 * where the truth has no value.
 */
function isEqualFar(given: MathNode, wanted: MathNode, values: Record<string, number>): boolean | undefined {
  const { a, b } = farPointOf(given, wanted, values);
  if (!isReal(b) || !Number.isFinite(sizeOf(a))) return undefined;
  if (!isReal(a)) return false;
  const ruling = compareValues(a, b);
  return ruling === 'right' || (isPreciselyEqual(given, wanted, values) ?? ruling !== 'wrong');
}

/** Nothing is known where a value is out of bounds. */
function farPointOf(given: MathNode, wanted: MathNode, values: Record<string, number>): Point {
  try {
    return pointOf(given, wanted, values);
  } catch (error) {
    if (!(error instanceof NotComparable)) throw error;
    const unknown = complex(Number.NaN, 0);
    return { values, a: unknown, b: unknown };
  }
}

/** Whether two expressions that are not real are equal for whole numbers, as `\cos n\pi` and `(-1)^n` are. */
function areEqualIfWhole(given: MathNode, wanted: MathNode, names: readonly string[]): boolean {
  return WHOLE.every((size) => {
    const { a, b } = farPointOf(given, wanted, Object.fromEntries(names.map((name, at) => [name, size + at])));
    return compareValues(a, b) === 'right';
  });
}

/** Whether a third root and a power to a part are both in them. */
function areMixed(...nodes: MathNode[]): boolean {
  const has = (isPart: (part: MathNode) => boolean) => nodes.some((node) => node.filter(isPart).length > 0);
  return has((part) => part.type === 'FunctionNode' && (part as FunctionNode).fn.name === 'cbrt') && has(isRootAsPower);
}

function isRootAsPower(part: MathNode): boolean {
  if (part.type !== 'OperatorNode' || (part as OperatorNode).fn !== 'pow') return false;
  return (part as OperatorNode).args[1].filter(({ type }) => type === 'OperatorNode').length > 0;
}

/** The values of the answer and of the truth where the variables have these values. */
interface Point {
  values: Record<string, number>;
  a: Complex;
  b: Complex;
}

function pointOf(given: MathNode, wanted: MathNode, values: Record<string, number>): Point {
  const a = evaluateNumerically(given, values);
  // A root is the real one, and a power to a third is not where its base is below zero.
  const isUnknown = !isReal(a) && areMixed(given, wanted);
  return { values, a, b: isUnknown ? complex(Number.NaN, 0) : evaluateNumerically(wanted, values) };
}

/** Nothing where the truth is undefined in the real numbers, unless complex numbers are meant. */
function rulingAt({ a, b }: Point, isComplex: boolean): Ruling[] {
  if (isComplex) return [compareValues(a, b)];
  if (!isReal(b)) return [];
  return [isReal(a) ? compareValues(a, b) : 'wrong'];
}

/** What is equal wherever the variables are above zero may be meant for such ones: `x` for `\sqrt{x^2}`. */
function isOnlyBelowZero(points: readonly Point[], isComplex: boolean): boolean {
  const above = points.filter(({ values }) => Object.values(values).every((value) => value > 0));
  return above.flatMap((point) => rulingAt(point, isComplex)).every((ruling) => ruling !== 'wrong');
}

function isReal({ re, im }: Complex): boolean {
  return Number.isFinite(re) && Math.abs(im) <= EQUAL * Math.abs(re);
}

function isOfImaginaryNumbers(node: MathNode): boolean {
  return node.filter((part) => part.type === 'SymbolNode' && (part as SymbolNode).name === 'i').length > 0;
}

/** Half of them above zero in all variables, the others with signs by chance. */
function pointsFor(names: readonly string[]): Record<string, number>[] {
  const random = randomStream('scoring/points', ...names);
  return Array.from({ length: 2 * POINTS }, (_, index) =>
    Object.fromEntries(
      names.map((name, position) => {
        const size = 0.3 + 2.4 * random.fraction();
        const isAbove = index < POINTS || (position === index % names.length ? false : random.fraction() < 0.5);
        return [name, isAbove ? size : -size];
      }),
    ),
  );
}

/** All signs in turn, and sizes that grow evenly in their logarithm, from where the others end. */
function farPointsFor(names: readonly string[]): Record<string, number>[] {
  const random = randomStream('scoring/far-points', ...names);
  return Array.from({ length: FAR_POINTS }, (_, index) =>
    Object.fromEntries(
      names.map((name, position) => {
        const size = 2.7 * (MAX_SIZE / 2.7) ** ((Math.floor(index / 2) + random.fraction()) / (FAR_POINTS / 2));
        return [name, (index + (position === 0 ? 0 : Math.floor(2 * random.fraction()))) % 2 === 0 ? size : -size];
      }),
    ),
  );
}

function compareConstants(given: MathNode, wanted: MathNode): Ruling {
  const [a, b] = [evaluateNumerically(given, {}), evaluateNumerically(wanted, {})];
  if (!Number.isFinite(sizeOf(a)) || !Number.isFinite(sizeOf(b))) return compareInfinite(given, wanted);
  const ruling = compareValues(a, b);
  if (ruling !== 'right' || isPreciselyEqual(given, wanted, {}) !== false) return ruling;
  return isNear(Math.hypot(a.re - b.re, a.im - b.im), Math.max(sizeOf(a), sizeOf(b))) ? 'undecided' : 'wrong';
}

/** Infinity is what is written as such, and no number that is too great or divided by zero. */
function compareInfinite(given: MathNode, wanted: MathNode): Ruling {
  const [a, b] = [signOfInfinity(given), signOfInfinity(wanted)];
  if (a === undefined || b === undefined) return 'undecided';
  return a === b ? 'right' : 'wrong';
}

function signOfInfinity(node: MathNode): number | undefined {
  if (node.type === 'ParenthesisNode') return signOfInfinity((node as ParenthesisNode).content);
  if (node.type === 'SymbolNode') return (node as SymbolNode).name === 'oo' ? 1 : undefined;
  if (node.type !== 'OperatorNode') return undefined;
  const { fn, args } = node as OperatorNode;
  const sign = signOfInfinity(args[0]);
  if (sign === undefined) return undefined;
  return { unaryMinus: -sign, unaryPlus: sign }[fn as string];
}

/**
 * Whether real values that are equal in floating point are so to many digits: what is left of a difference by rounding
 * shrinks with more of them. Undefined where that cannot be computed.
 */
function isPreciselyEqual(given: MathNode, wanted: MathNode, values: Record<string, number>): boolean | undefined {
  const [rough, fine] = DIGITS.map((digits) => {
    const [a, b] = [given, wanted].map((node) => evaluatePrecisely(node, values, digits));
    return a && b && { difference: a.minus(b).abs(), size: a.abs().plus(b.abs()) };
  });
  if (!rough || !fine) return undefined;
  if (fine.difference.lte(fine.size.times(`1e-${DIGITS[1] - 15}`))) return true;
  return fine.difference.lte(rough.difference.times('1e-15'));
}

/** Undecided where there is no value, or the values are near each other without being equal. */
function compareValues(a: Complex, b: Complex): Ruling {
  if (![a.re, a.im, b.re, b.im].every(Number.isFinite)) return 'undecided';
  if (a.re === b.re && a.im === b.im) return 'right';
  const difference = Math.hypot(a.re - b.re, a.im - b.im);
  const size = Math.max(sizeOf(a), sizeOf(b));
  if (difference <= EQUAL * Math.max(size, 1)) return 'right';
  return isNear(difference, size) ? 'undecided' : 'wrong';
}

function sizeOf({ re, im }: Complex): number {
  return Math.hypot(re, im);
}

function isNear(difference: number, size: number): boolean {
  return difference <= NEAR * size;
}
