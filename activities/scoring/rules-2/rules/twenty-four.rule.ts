import type { ConstantNode, MathNode, OperatorNode, ParenthesisNode } from 'mathjs';
import { evaluateExactly } from '../expressions/evaluate-exactly.js';
import { parseExpression } from '../expressions/parse-expression.js';
import { NotComparable } from '../expressions/not-comparable.js';
import type { Statement } from '../reading/statement.js';
import { ruled, type Finding } from './finding.js';

const OPERATORS = new Set(['add', 'subtract', 'multiply', 'divide', 'unaryMinus']);

/** Arithmetic that ends in `= 24`, in a text that says more. */
const WORKED_OUT = /[\d\s()[\]+\-*/×·÷xX]{7,}(?==\s*24(?!\d|\s*[-+*/×·÷]))/g;

/**
 * Right where the answer is an expression of exactly these numbers, each used once, with + - * / and parentheses, whose
 * exact value is 24. `= 24` may follow, `24 =` precede. Nothing is left undecided: what cannot be read as one
 * expression is wrong.
 */
export function twentyFourRule({ readings }: Statement, numbers: readonly number[]): Finding {
  return ruled(readings.flatMap(expressionsIn).some((text) => makes24(text, numbers)));
}

/** Whether a text can be such an expression. */
export function isArithmetic(text: string): boolean {
  return expressionsIn(text).some((candidate) => {
    const tree = readExpression(candidate);
    return tree !== undefined && (numbersIn(tree)?.length ?? 0) > 1;
  });
}

function makes24(text: string, numbers: readonly number[]): boolean {
  const tree = readExpression(text);
  const used = tree && numbersIn(tree);
  const isComplete = used !== undefined && String(used.sort(ascending)) === String([...numbers].sort(ascending));
  return isComplete && evaluateExactly(tree!)?.equals(24) === true;
}

/**
 * The text itself, without a list's mark, and the last arithmetic in it that is said to be 24; `x` between numbers
 * multiplies.
 */
function expressionsIn(text: string): string[] {
  const signs = text.replace(/(?<=[\d)\]}]\s*)[xX](?=\s*[\d([{\\])/g, '×').replace(/•/g, '·');
  const listed = signs.replace(/^[-+]\s+(?=[\d([])/, '');
  const whole = listed.replace(/^\s*24\s*=(?!=)/, '').replace(/=\s*24\s*[.!]?\s*$/, '');
  const worked = signs.match(WORKED_OUT)?.at(-1);
  return worked === undefined ? [whole] : [whole, worked];
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
