import { compareRelations, withPlainRelations } from '../expressions/compare-relations.js';
import { plainCharacters } from '../reading/plain-characters.js';
import type { Statement } from '../reading/statement.js';
import { bare } from '../reading/wrappings.js';
import { ruled, RIGHT, UNDECIDED, WRONG, type Finding } from './finding.js';
import { isNotFinal } from './said-number.js';
import { saidExpression } from './said-expression.js';
import { isSameText } from './text-keys.js';
import { sideOf } from './yes-or-no.js';

const WORDS = /^[A-Za-z][a-z]{2,}[\w\s-]*$/;

/** Right where the answer is the expression, letter by letter or as a value. */
export function expressionRule({ readings, verbatim }: Statement, truth: string): Finding {
  if (verbatim.includes(plainCharacters(truth).trim())) return RIGHT;
  if (readings.every((reading) => reading === '')) return WRONG;
  if (verbatim.some(isNotFinal)) return UNDECIDED;
  const side = sideOf(bare(truth, 'words'));
  if (side !== undefined) {
    const given = sideOf(readings.at(-1)!);
    return given === undefined ? UNDECIDED : ruled(given === side);
  }
  const wanted = withPlainRelations(asRatio(bare(truth, 'mathematics')));
  const findings = readings.map((reading) => compared(withPlainRelations(asRatio(reading)), wanted));
  return findings.find(({ ruling }) => ruling !== 'undecided') ?? UNDECIDED;
}

function compared(text: string, wanted: string): Finding {
  if (withoutSpace(text) === withoutSpace(wanted) || [text, wanted].every(isEmptySet)) return RIGHT;
  if (WORDS.test(text) && WORDS.test(wanted)) return isSameText(text, wanted) ? RIGHT : UNDECIDED;
  const ruling = compareRelations(text, wanted);
  const said = ruling === 'undecided' ? saidExpression(text) : undefined;
  if (said === undefined) return { ruling };
  const found = compareRelations(said.value, wanted);
  return found === 'wrong' && !said.isConclusion ? UNDECIDED : { ruling: found };
}

/** `3 to 2` is `3:2`. */
function asRatio(text: string): string {
  return text.replace(/^(\d+)\s+to\s+(\d+)$/, '$1:$2');
}

function isEmptySet(text: string): boolean {
  return /^(?:\\(?:emptyset|varnothing)|∅|\\\{\s*\\\}|\{\s*\})$/.test(text);
}

/** Where space says nothing: between signs and digits it does not, between two letters or digits it does. */
function withoutSpace(text: string): string {
  return text.replace(/(?<![\p{L}\p{N}])\s+|\s+(?![\p{L}\p{N}])/gu, '');
}

/** Whether a text may be an expression: not a sentence about one. */
export function isExpression(text: string): boolean {
  return text !== '' && (WORDS.test(text) || !/[a-z]{4,} [a-z]{2,} [a-z]{2,}/.test(text));
}
