import type { Ruling } from '../../../../contracts/scoring.js';
import { compareExpressions } from './compare-expressions.js';

const SIGNS: readonly [RegExp, string][] = [
  [/±|\\pm(?![a-zA-Z])|\+\/-/g, '\\pm '],
  [/≤|<=|\\leq?(?:slant)?(?![a-zA-Z])/g, '\\leq '],
  [/≥|>=|\\geq?(?:slant)?(?![a-zA-Z])/g, '\\geq '],
  [/≠|!=|\\neq?(?![a-zA-Z])/g, '\\neq '],
  [/\\lt(?![a-zA-Z])/g, '<'],
  [/\\gt(?![a-zA-Z])/g, '>'],
  [/∈|\\in(?![a-zA-Z])/g, '\\in '],
  [/∪|\\cup(?![a-zA-Z])/g, '\\cup '],
];
const RELATION = /(\\(?:pm|leq|geq|neq|in|cup) |<|>)/;
const UNIT =
  /\s+(?:cm|mm|km|kg|ft|inch(?:es)?|feet|met(?:er|re)s?|miles?|units?|radians?|rad|seconds?|minutes?|hours?|dollars?|(?:square|cubic) [a-z]+)(?:\^\{?[23]\}?)?$/;

/** A text with one sign for each relation: `x ≤ 2` and `x<=2` are `x \leq 2`. */
export function withPlainRelations(text: string): string {
  return SIGNS.reduce((plain, [sign, name]) => plain.replace(sign, () => name), text).trim();
}

/**
 * Compares also relations, `x \leq 2` and `\pm 3`, which are the same where their sides are, and leaves out what the
 * truth does not say: a unit, `x \in` before an interval, braces around a list, the `and` in it. Both texts have plain
 * relations.
 */
export function compareRelations(answer: string, truth: string): Ruling {
  const given = asAsked(answer, truth);
  const [sides, wanted] = [given, truth].map((text) => text.split(RELATION).map((side) => side.trim()));
  if (sides.length === 1 && wanted.length === 1) return compareExpressions(given, truth);
  const isSame = sides.length === wanted.length && sides.every((side, at) => isSameSide(side, wanted[at]));
  return isSame ? 'right' : 'undecided';
}

function isSameSide(one: string, other: string): boolean {
  return one === other || (one !== '' && other !== '' && compareExpressions(one, other) === 'right');
}

function asAsked(answer: string, truth: string): string {
  let text = answer;
  if (!truth.includes('\\in ')) text = text.replace(/^[a-z]\s*\\in (?=\s*[[(])/, '');
  if (!/[a-z]{2,}\s*$|°/.test(truth)) text = text.replace(UNIT, '');
  if (/^[^()[\]{}]*,/.test(truth)) text = text.replace(/^\\\{([^{}]*)\\\}$/, '$1');
  if (truth.includes(',') && !text.includes(',')) text = text.replace(/\s+(?:and|or)\s+/, ', ');
  return text;
}
