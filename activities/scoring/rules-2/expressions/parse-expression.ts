import {
  create,
  fractionDependencies,
  parseDependencies,
  type ConstantNode,
  type FunctionNode,
  type MathNode,
  type OperatorNode,
  type ParenthesisNode,
  type SymbolNode,
} from 'mathjs';
import { NotComparable } from './not-comparable.js';
import { plainNotation } from './plain-notation.js';

const math = create({ fractionDependencies, parseDependencies }, { number: 'Fraction' });

const MAX_LENGTH = 500;
const MAX_DEPTH = 60;
const OPERATORS = new Set(['add', 'subtract', 'multiply', 'divide', 'pow', 'unaryMinus', 'unaryPlus', 'factorial']);
const FUNCTIONS = [
  'sqrt', 'cbrt', 'abs', 'exp', 'ln', 'log', 'sin', 'cos', 'tan', 'cot', 'sec', 'csc',
  'sinh', 'cosh', 'tanh', 'arcsin', 'arccos', 'arctan', 'asin', 'acos', 'atan',
] as const; // prettier-ignore
const NAMES = [
  'oo',
  'pi',
  'alpha',
  'beta',
  'gamma',
  'delta',
  'epsilon',
  'theta',
  'lambda',
  'mu',
  'nu',
  'rho',
  'sigma',
  'tau',
  'phi',
  'omega',
  'zeta',
  'kappa',
  'xi',
  'chi',
  'psi',
  'eta',
];
const KNOWN = new Set<string>([...FUNCTIONS, ...NAMES]);
/** So many letters that are no name of mathematics are a word, not a product of variables. */
const WORD = 4;
const SHORT_WORDS = new Set(
  'and are but for is it no not of or so the to was yes cm mm km kg mg ft lb ml mi hr min sec deg'.split(' '),
);

/**
 * The tree of an expression in LaTeX or plain notation. It holds numbers as exact fractions, variables of one letter or
 * a Greek name, arithmetic, powers, factorials and the functions above; nothing in it can be run.
 * @throws NotComparable
 */
export function parseExpression(text: string): MathNode {
  if (text.length > MAX_LENGTH) throw new NotComparable('too long');
  const plain = separateLetters(plainNotation(text));
  if (plain === '') throw new NotComparable('empty');
  const tree = parsed(plain);
  requireKnown(tree, MAX_DEPTH);
  return tree;
}

function parsed(plain: string): MathNode {
  try {
    return math.parse(plain);
  } catch (error) {
    throw new NotComparable((error as Error).message);
  }
}

/** `xy` is a product; `sin` is a function; `none` is a word; `2E-5` is a number. */
function separateLetters(plain: string): string {
  const powers = plain.replace(/(?<![a-zA-Z\d.])(\d+(?:\.\d+)?)[eE]([+-]?\d{1,3})(?![\d.])/g, '($1*10^($2))');
  return powers.replace(/[a-zA-Z]+/g, (run) => {
    if (KNOWN.has(run) || run.length === 1) return run;
    if (run.length >= WORD || SHORT_WORDS.has(run.toLowerCase()))
      throw new NotComparable(`a word: ${run.slice(0, 30)}`);
    return [...run].join(' ');
  });
}

function requireKnown(node: MathNode, depthLeft: number): void {
  if (depthLeft === 0) throw new NotComparable('nested too deeply');
  switch (node.type) {
    case 'ConstantNode':
      if (typeof (node as ConstantNode).value !== 'object') throw new NotComparable('a constant that is no number');
      return;
    case 'SymbolNode':
      if ((FUNCTIONS as readonly string[]).includes((node as SymbolNode).name)) {
        throw new NotComparable('a function without parentheses');
      }
      return;
    case 'ParenthesisNode':
      return requireKnown((node as ParenthesisNode).content, depthLeft - 1);
    case 'OperatorNode': {
      const { fn, args } = node as OperatorNode;
      if (!OPERATORS.has(fn)) throw new NotComparable(`the operator ${String(fn)}`);
      return args.forEach((argument) => requireKnown(argument, depthLeft - 1));
    }
    case 'FunctionNode': {
      const { fn, args } = node as FunctionNode;
      const name = fn.name;
      if (!(FUNCTIONS as readonly string[]).includes(name)) return requireProduct(name, args, depthLeft);
      if (args.length !== 1) throw new NotComparable(`${name} of ${args.length} arguments`);
      return requireKnown(args[0], depthLeft - 1);
    }
    default:
      throw new NotComparable(`a ${node.type}`);
  }
}

/** `x(y + 1)` reads as a call of x, and is a product. */
function requireProduct(name: string, args: readonly MathNode[], depthLeft: number): void {
  if (args.length !== 1 || name.length > 1) throw new NotComparable(`the function ${name}`);
  requireKnown(args[0], depthLeft - 1);
}
