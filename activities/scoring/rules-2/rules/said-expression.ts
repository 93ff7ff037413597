import { isDenied, lastSentence, withoutOpenings } from './said-number.js';

/** `The probability is 1/2`, `x = 1/2` after `Therefore`. */
const STATEMENT =
  /^((?:the|its|his|her|their) [\p{L}' -]{2,80}) (?:is|are|equals|becomes)(?: equal to)? (?=\S)([^.!?\n]*(?:\.\d+)?)$/iu;

export interface SaidExpression {
  value: string;
  /** Whether the sentence draws a conclusion. */
  isConclusion: boolean;
}

/** The expression that a closing sentence says; undefined for any other text. */
export function saidExpression(text: string): SaidExpression | undefined {
  const sentence = (lastSentence(text) || text).trim().replace(/(?<!\.)\.$/, '');
  const clause = withoutOpenings(sentence);
  const [, subject, value] = STATEMENT.exec(clause) ?? [];
  if (subject !== undefined) return isDenied(clause) ? undefined : { value, isConclusion: clause !== sentence };
  return clause === sentence ? undefined : { value: clause, isConclusion: true };
}
