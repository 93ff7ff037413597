import type { ConstantNode, MathNode, OperatorNode, ParenthesisNode } from 'mathjs';
import { evaluateExactly } from '../expressions/evaluate-exactly.js';
import { parseExpression } from '../expressions/parse-expression.js';
import { NotComparable } from '../expressions/plain-notation.js';
import type { FinalAnswer } from '../final-answer.js';
import { ruled, WRONG, type Finding } from './finding.js';

const OPERATORS = new Set(['add', 'subtract', 'multiply', 'divide', 'unaryMinus']);

/**
 * Right where the answer is an expression of exactly these numbers, each used once, with + - * / and parentheses, whose
 * exact value is 24. `= 24` may follow. Nothing is left undecided: what cannot be read as one expression is wrong.
 */
export function twentyFourRule({ text }: FinalAnswer, numbers: readonly number[]): Finding {
  const tree = readExpression(text.replace(/=\s*24\s*\$*\s*\.?\s*$/, ''));
  if (!tree) return WRONG;
  const used = numbersIn(tree);
  const isComplete = used !== undefined && String(used.sort(ascending)) === String([...numbers].sort(ascending));
  return ruled(isComplete && evaluateExactly(tree)?.equals(24) === true);
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
