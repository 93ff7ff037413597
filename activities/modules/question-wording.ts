/** What the wording of a question gives away. The scripted modules read it; the trained planner does not. */
export interface QuestionWording {
  /** The facts it asks about, as a search query each: `area of Hexley`. */
  facts: string[];
  /** What to compute, with `#1`, `#2` for the facts: `#1 * 7`. Undefined where no operator occurs. */
  formula?: string;
}

const SIGNS: Record<string, string> = { plus: '+', minus: '-', times: '*' };
const OPERAND = String.raw`(?:the ([a-z]+ of [A-Z]\w*)|(\d+))`;
const SIMPLE = new RegExp(String.raw`^What is ${OPERAND}(?: (plus|minus|times) ${OPERAND})?\?$`);
const COMPARISON = /^How much larger is the ([a-z]+ of [A-Z]\w*) than the ([a-z]+ of [A-Z]\w*)\?$/;

/** Undefined where the question is not in a wording of the atlas. */
export function readWording(question: string): QuestionWording | undefined {
  const comparison = COMPARISON.exec(question);
  if (comparison) return { facts: comparison.slice(1), formula: '#1 - #2' };
  const simple = SIMPLE.exec(question);
  if (!simple) return undefined;
  const [, leftFact, leftNumber, operator, rightFact, rightNumber] = simple;
  const facts = [leftFact, rightFact].filter((fact) => fact !== undefined);
  if (operator === undefined) return { facts };
  const right = rightFact === undefined ? rightNumber : `#${facts.length}`;
  return { facts, formula: `${leftNumber ?? '#1'} ${SIGNS[operator]} ${right}` };
}
