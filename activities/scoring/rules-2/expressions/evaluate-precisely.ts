import type Fraction from 'fraction.js';
import {
  bignumber,
  type BigNumber,
  type ConstantNode,
  type FunctionNode,
  type MathNode,
  type OperatorNode,
  type ParenthesisNode,
  type SymbolNode,
} from 'mathjs';

type Decimals = (value: number | string) => BigNumber;
type DecimalClass = new (value: number | string) => BigNumber;
type Unary = (value: BigNumber) => BigNumber;

/** Beyond these a function or a power takes long, and no value is needed. */
const MAX_ANGLE = 1e6;
const MAX_POWER = 1e4;

const CALLS: Record<string, Unary> = {
  sqrt: (x) => x.sqrt(),
  cbrt: (x) => x.cbrt(),
  abs: (x) => x.abs(),
  exp: (x) => bounded(x, MAX_POWER).exp(),
  ln: (x) => x.ln(),
  log: (x) => x.ln(),
  sin: (x) => bounded(x, MAX_ANGLE).sin(),
  cos: (x) => bounded(x, MAX_ANGLE).cos(),
  tan: (x) => bounded(x, MAX_ANGLE).tan(),
  cot: (x) => bounded(x, MAX_ANGLE).tan().pow(-1),
  sec: (x) => bounded(x, MAX_ANGLE).cos().pow(-1),
  csc: (x) => bounded(x, MAX_ANGLE).sin().pow(-1),
  sinh: (x) => bounded(x, MAX_POWER).sinh(),
  cosh: (x) => bounded(x, MAX_POWER).cosh(),
  tanh: (x) => bounded(x, MAX_POWER).tanh(),
  arcsin: (x) => x.asin(),
  arccos: (x) => x.acos(),
  arctan: (x) => x.atan(),
  asin: (x) => x.asin(),
  acos: (x) => x.acos(),
  atan: (x) => x.atan(),
};

/** The real value of an expression to so many digits; undefined where it has none, or where that would take long. */
export function evaluatePrecisely(
  node: MathNode,
  variables: Readonly<Record<string, number>>,
  digits: number,
): BigNumber | undefined {
  const value = evaluate(node, variables, decimalsOf(digits));
  return value.isFinite() ? value : undefined;
}

function decimalsOf(digits: number): Decimals {
  const standard = bignumber(0).constructor as unknown as { clone: (config: { precision: number }) => DecimalClass };
  const Decimal = standard.clone({ precision: digits });
  return (value) => new Decimal(value);
}

function evaluate(node: MathNode, variables: Readonly<Record<string, number>>, decimal: Decimals): BigNumber {
  switch (node.type) {
    case 'ConstantNode': {
      const { s, n, d } = (node as ConstantNode).value as unknown as Fraction;
      return decimal(String(s * n)).div(String(d));
    }
    case 'SymbolNode':
      return valueOf((node as SymbolNode).name, variables, decimal);
    case 'ParenthesisNode':
      return evaluate((node as ParenthesisNode).content, variables, decimal);
    case 'OperatorNode': {
      const { fn, args } = node as OperatorNode;
      const [a, b] = args.map((argument) => evaluate(argument, variables, decimal));
      return operate(fn, a, b, decimal);
    }
    case 'FunctionNode': {
      const { fn, args } = node as FunctionNode;
      const value = evaluate(args[0], variables, decimal);
      return Object.hasOwn(CALLS, fn.name) ? CALLS[fn.name](value) : valueOf(fn.name, variables, decimal).times(value);
    }
    default:
      return decimal(Number.NaN);
  }
}

function valueOf(name: string, variables: Readonly<Record<string, number>>, decimal: Decimals): BigNumber {
  if (name === 'e') return decimal(1).exp();
  if (name === 'pi') return decimal(-1).acos();
  return decimal(Object.hasOwn(variables, name) ? variables[name] : Number.NaN);
}

function operate(operator: string, a: BigNumber, b: BigNumber, decimal: Decimals): BigNumber {
  switch (operator) {
    case 'add':
      return a.plus(b);
    case 'subtract':
      return a.minus(b);
    case 'multiply':
      return a.times(b);
    case 'divide':
      return a.div(b);
    case 'pow':
      return a.pow(bounded(b, MAX_POWER));
    case 'unaryMinus':
      return a.neg();
    case 'unaryPlus':
      return a;
    default:
      return decimal(Number.NaN);
  }
}

/** Not a number where it is beyond the bound. */
function bounded(value: BigNumber, most: number): BigNumber {
  return value.abs().gt(most) ? value.times(Number.NaN) : value;
}
