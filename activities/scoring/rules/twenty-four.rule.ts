import type { ConstantNode, MathNode, OperatorNode, ParenthesisNode } from 'mathjs';
import { evaluateExactly } from '../expressions/evaluate-exactly.js';
import { parseExpression } from '../expressions/parse-expression.js';
import { NotComparable } from '../expressions/not-comparable.js';
import { leadsTo, leavesStanding, type Asked } from '../reading/continuation.js';
import type { Statement } from '../reading/statement.js';
import { RIGHT, UNDECIDED, WRONG, type Finding } from './finding.js';

const OPERATORS = new Set(['add', 'subtract', 'multiply', 'divide', 'unaryMinus']);

/** `= 24`, `== 24`, `equals 24`, `→ 24`. */
const IS_24 = String.raw`(?:==?|→|->|⇒|=>|\bequals\b|\bgives\b|\bmakes\b)\s*24(?!\d|\s*[-+*/×·÷])`;
const AT_END = new RegExp(String.raw`\s*${IS_24}\s*[.!]?\s*$`);
/** Arithmetic that is said to be 24, in a text that says more. */
const WORKED_OUT = new RegExp(String.raw`([\d\s()[\]+\-*/×·÷xX]{7,}?)\s*${IS_24}`, 'g');
const NAMED =
  /^(?:the|one|my|an?) (?:(?:final|valid|possible) )?(?:expression|solution|equation)(?: is)?:?\s+(?=[\d([])/i;

/**
 * Right where the answer is an expression of exactly these numbers, each used once, with + - * / and parentheses, whose
 * exact value is 24. `= 24` may follow, `24 =` precede. Undecided if more is said around it; what cannot be read as one
 * expression is wrong.
 */
export function twentyFourRule({ readings }: Statement, numbers: readonly number[], asked: Asked): Finding {
  const found = readings.flatMap(expressionsIn).filter(({ expression }) => makes24(expression, numbers));
  if (found.some(({ before, after }) => leadsTo(before, 'mathematics') && leavesStanding(after, asked))) return RIGHT;
  return found.length > 0 ? UNDECIDED : WRONG;
}

/** Whether a text can be such an expression. */
export function isArithmetic(text: string): boolean {
  return expressionsIn(text).some(({ expression }) => {
    const tree = readExpression(expression);
    return tree !== undefined && (numbersIn(tree)?.length ?? 0) > 1;
  });
}

/** Whether a text is such an expression. */
export function makes24(text: string, numbers: readonly number[]): boolean {
  const tree = readExpression(text);
  const used = tree && numbersIn(tree);
  const isComplete = used !== undefined && String(used.sort(ascending)) === String([...numbers].sort(ascending));
  return isComplete && evaluateExactly(tree!)?.equals(24) === true;
}

/** The text itself, without a list's mark, and the arithmetic in it that is said to be 24, with what is around it. */
function expressionsIn(text: string): { expression: string; before: string; after: string }[] {
  // `x` between numbers multiplies.
  const signs = text.replace(/(?<=[\d)\]}]\s*)[xX](?=\s*[\d([{\\])/g, '×').replace(/•/g, '·');
  const listed = signs.replace(/^(?:[-+]|\d+\)|\d\.)\s+(?=[\d([])/, '').replace(NAMED, '');
  const whole = listed.replace(/^\s*24\s*=(?!=)/, '').replace(AT_END, '');
  const worked = [...signs.matchAll(WORKED_OUT)].map(({ 0: all, 1: expression, index }) => ({
    expression,
    before: signs.slice(0, index),
    after: signs.slice(index + all.length),
  }));
  return [{ expression: whole, before: '', after: '' }, ...worked];
}

function readExpression(text: string): MathNode | undefined {
  try {
    return parseExpression(text);
  } catch (error) {
    if (error instanceof NotComparable) return undefined;
    throw error;
  }
}

/** The numbers that an expression uses; undefined where there is anything else in it than arithmetic. */
function numbersIn(node: MathNode): number[] | undefined {
  switch (node.type) {
    case 'ConstantNode':
      return [Number((node as ConstantNode).value)];
    case 'ParenthesisNode':
      return numbersIn((node as ParenthesisNode).content);
    case 'OperatorNode': {
      const { fn, args } = node as OperatorNode;
      const parts = args.map(numbersIn);
      return OPERATORS.has(fn) && parts.every((part) => part !== undefined) ? parts.flat() : undefined;
    }
    default:
      return undefined;
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}
