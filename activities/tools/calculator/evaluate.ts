import {
  addDependencies,
  bignumberDependencies,
  create,
  divideDependencies,
  multiplyDependencies,
  parseDependencies,
  subtractDependencies,
  unaryMinusDependencies,
  unaryPlusDependencies,
  type BigNumber,
  type ConstantNode,
  type MathNode,
  type OperatorNode,
  type ParenthesisNode,
} from 'mathjs';

const math = create(
  {
    addDependencies,
    bignumberDependencies,
    divideDependencies,
    multiplyDependencies,
    parseDependencies,
    subtractDependencies,
    unaryMinusDependencies,
    unaryPlusDependencies,
  },
  { number: 'BigNumber', precision: 256 },
);

const MAX_DEPTH = 32;
const DECIMALS = 12;
const ALLOWED_OPERATORS = new Set(['add', 'subtract', 'multiply', 'divide', 'unaryMinus', 'unaryPlus']);

/** Thrown when the text is not an arithmetic expression. The message is for the planner. */
export class NotArithmetic extends Error {
  override name = 'NotArithmetic';
}

/**
 * The value of an expression of numbers, + - * / and parentheses, as a plain decimal string with at most 12 decimals.
 * The parser's tree is checked against a list of node types first: no names, functions, units or assignments exist.
 */
export function evaluateArithmetic(expression: string): string {
  if (!/^[\d\s.+\-*/()]+$/.test(expression)) {
    throw new NotArithmetic('only numbers, + - * / and parentheses');
  }
  const tree = parse(expression);
  requireArithmetic(tree, MAX_DEPTH);
  const value = tree.compile().evaluate() as BigNumber;
  if (!value.isFinite()) throw new NotArithmetic('division by zero');
  const rounded = value.toDecimalPlaces(DECIMALS);
  return rounded.isZero() ? '0' : rounded.toFixed();
}

function parse(expression: string): MathNode {
  try {
    return math.parse(expression);
  } catch {
    throw new NotArithmetic('not a complete expression');
  }
}

function requireArithmetic(node: MathNode, depthLeft: number): void {
  if (depthLeft === 0) throw new NotArithmetic('nested too deeply');
  switch (node.type) {
    case 'ConstantNode':
      // The empty expression parses as a constant without a value.
      if ((node as ConstantNode).value === undefined) throw new NotArithmetic('an expression is needed');
      return;
    case 'ParenthesisNode':
      return requireArithmetic((node as ParenthesisNode).content, depthLeft - 1);
    case 'OperatorNode': {
      const { fn, implicit, args } = node as OperatorNode;
      if (!ALLOWED_OPERATORS.has(fn) || implicit) throw new NotArithmetic('an operator is missing');
      return args.forEach((argument) => requireArithmetic(argument, depthLeft - 1));
    }
    default:
      throw new NotArithmetic('only numbers, + - * / and parentheses');
  }
}
