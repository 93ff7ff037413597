import Fraction from 'fraction.js';
import type { ConstantNode, FunctionNode, MathNode, OperatorNode, ParenthesisNode } from 'mathjs';

const MAX_EXPONENT = 4096;
const MAX_BITS = 20_000;
const MAX_FACTORIAL = 200;

/**
 * The exact value of an expression that is a fraction; undefined where it is none, has variables, divides by zero, or
 * would take more than some thousand digits.
 */
export function evaluateExactly(node: MathNode): Fraction | undefined {
  switch (node.type) {
    case 'ConstantNode':
      return (node as ConstantNode).value as unknown as Fraction;
    case 'ParenthesisNode':
      return evaluateExactly((node as ParenthesisNode).content);
    case 'OperatorNode':
      return operation(node as OperatorNode);
    case 'FunctionNode':
      return call(node as FunctionNode);
    default:
      return undefined;
  }
}

function operation({ fn, args }: OperatorNode): Fraction | undefined {
  const values = args.map(evaluateExactly);
  if (values.some((value) => value === undefined || bits(value) > MAX_BITS)) return undefined;
  const [a, b] = values as Fraction[];
  switch (fn as string) {
    case 'add':
      return a.add(b);
    case 'subtract':
      return a.sub(b);
    case 'multiply':
      return a.mul(b);
    case 'divide':
      return b.n === 0n ? undefined : a.div(b);
    case 'unaryMinus':
      return a.neg();
    case 'unaryPlus':
      return a;
    case 'pow':
      return power(a, b);
    case 'factorial':
      return factorial(a);
    default:
      return undefined;
  }
}

function call({ fn, args }: FunctionNode): Fraction | undefined {
  const value = evaluateExactly(args[0]);
  if (value === undefined) return undefined;
  switch (fn.name) {
    case 'sqrt':
      return squareRoot(value);
    case 'abs':
      return value.abs();
    default:
      return undefined;
  }
}

function power(base: Fraction, exponent: Fraction): Fraction | undefined {
  if (exponent.d === 2n && exponent.n === 1n) return exponent.s < 0n ? undefined : squareRoot(base);
  if (exponent.d !== 1n || exponent.n > BigInt(MAX_EXPONENT)) return undefined;
  if (base.n === 0n && exponent.s <= 0n) return undefined;
  if (bits(base) * Number(exponent.n) > MAX_BITS) return undefined;
  return base.pow(exponent) ?? undefined;
}

function squareRoot({ s, n, d }: Fraction): Fraction | undefined {
  const [above, below] = [wholeRoot(n), wholeRoot(d)];
  return s < 0n || above === undefined || below === undefined ? undefined : new Fraction(above, below);
}

/** Newton's method on integers; undefined where the number is no square. */
function wholeRoot(square: bigint): bigint | undefined {
  if (square === 0n) return 0n;
  let root = 1n << BigInt(Math.ceil(square.toString(2).length / 2));
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root * root === square ? root : undefined;
    root = next;
  }
}

function factorial({ s, n, d }: Fraction): Fraction | undefined {
  if (d !== 1n || s < 0n || n > BigInt(MAX_FACTORIAL)) return undefined;
  let product = 1n;
  for (let factor = 2n; factor <= n; factor += 1n) product *= factor;
  return new Fraction(product);
}

function bits({ n, d }: Fraction): number {
  return n.toString(16).length * 4 + d.toString(16).length * 4;
}
