import type Fraction from 'fraction.js';
import {
  abs, acos, add, asin, atan, cbrt, complex, cos, cosh, cot, csc, divide, exp, gamma, isComplex, log, multiply,
  pow, sec, sin, sinh, sqrt, subtract, tan, tanh, unaryMinus,
  type Complex, type ConstantNode, type FunctionNode, type MathNode, type OperatorNode, type ParenthesisNode,
  type SymbolNode,
} from 'mathjs'; // prettier-ignore
import { NotComparable } from './not-comparable.js';

type Value = number | Complex;
type Unary = (value: Value) => Value;

/** Logarithms are natural. */
const CALLS: Record<string, Unary> = {
  sqrt, cbrt, exp, sin, cos, tan, cot, sec, csc, sinh, cosh, tanh, asin, acos, atan,
  abs, ln: log, log, arcsin: asin, arccos: acos, arctan: atan,
}; // prettier-ignore
const CONSTANTS: Record<string, Value> = { e: Math.E, pi: Math.PI, i: complex(0, 1), oo: Infinity };

/** The variables of an expression, each once. */
export function variablesOf(node: MathNode): string[] {
  const names = new Set<string>();
  node.traverse((part, path) => {
    const isName = part.type === 'SymbolNode' && (path !== 'fn' || !Object.hasOwn(CALLS, (part as SymbolNode).name));
    if (isName && !Object.hasOwn(CONSTANTS, (part as SymbolNode).name)) names.add((part as SymbolNode).name);
  });
  return [...names];
}

/** The value of an expression in floating point, where its variables have these values. @throws NotComparable */
export function evaluateNumerically(node: MathNode, variables: Readonly<Record<string, number>>): Complex {
  const value = evaluate(node, variables);
  return isComplex(value) ? value : complex(value, 0);
}

function evaluate(node: MathNode, variables: Readonly<Record<string, number>>): Value {
  switch (node.type) {
    case 'ConstantNode':
      return ((node as ConstantNode).value as unknown as Fraction).valueOf();
    case 'SymbolNode':
      return valueOf((node as SymbolNode).name, variables);
    case 'ParenthesisNode':
      return evaluate((node as ParenthesisNode).content, variables);
    case 'OperatorNode': {
      const { fn, args } = node as OperatorNode;
      return operate(fn, ...(args.map((argument) => evaluate(argument, variables)) as [Value, Value]));
    }
    case 'FunctionNode': {
      const { fn, args } = node as FunctionNode;
      const name = fn.name;
      const value = evaluate(args[0], variables);
      return Object.hasOwn(CALLS, name) ? CALLS[name](value) : (multiply(valueOf(name, variables), value) as Value);
    }
    default:
      throw new NotComparable(`a ${node.type}`);
  }
}

function valueOf(name: string, variables: Readonly<Record<string, number>>): Value {
  return Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : variables[name];
}

function operate(operator: string, a: Value, b: Value): Value {
  switch (operator) {
    case 'add':
      return add<Value>(a, b);
    case 'subtract':
      return subtract<Value>(a, b);
    case 'multiply':
      return multiply(a, b) as Value;
    case 'divide':
      return divide(a, b) as Value;
    case 'pow':
      return pow(a, b) as Value;
    case 'unaryMinus':
      return unaryMinus<Value>(a);
    case 'unaryPlus':
      return a;
    case 'factorial':
      if (typeof a !== 'number' || a > 170) throw new NotComparable('a factorial out of bounds');
      return gamma(a + 1);
    default:
      throw new NotComparable(`the operator ${operator}`);
  }
}
