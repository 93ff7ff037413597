import type { Truth } from '../../datasets/items/truth.js';
import { scoreExactNumber } from './exact-number.js';
import { finalStatement, type IsAnswer, type Statement } from './reading/statement.js';
import type { Notation } from './reading/wrappings.js';
import { choiceRule, namesChoice } from './rules/choice.rule.js';
import { expressionRule, isExpression } from './rules/expression.rule.js';
import { ruled, UNDECIDED, type Finding } from './rules/finding.js';
import { holdsNumber, numberRule } from './rules/number.rule.js';
import { shortFormRule } from './rules/short-form.rule.js';
import { textRule } from './rules/text.rule.js';
import { isArithmetic, twentyFourRule } from './rules/twenty-four.rule.js';

/** How the answers of a kind of truth are read, and what its rule says of what was read. */
interface Kind {
  notation: Notation;
  isAnswer: IsAnswer;
  rule: (statement: Statement) => Finding;
}

const anything: IsAnswer = (text) => text !== '';

/**
 * The rules of runs that began with `rules-2`, as they were: their rewards are made and replayed by nothing else. Nothing in
 * this folder is changed.
 */
export function scoreByRules2(answer: string, truth: Truth): Finding {
  const { notation, isAnswer, rule } = kindOf(truth);
  const statement = finalStatement(answer, notation, isAnswer);
  if (!statement) return UNDECIDED;
  const finding = rule(statement);
  // A truth may look like a doubt itself.
  return statement.isDoubted && finding.ruling === 'wrong' ? { ...finding, ruling: 'undecided' } : finding;
}

function kindOf(truth: Truth): Kind {
  switch (truth.kind) {
    case 'exact-number':
      return {
        notation: 'mathematics',
        isAnswer: holdsNumber,
        rule: ({ readings }) => ruled(readings.some((text) => scoreExactNumber(text, truth.value) === 1)),
      };
    case 'number':
      return { notation: 'mathematics', isAnswer: holdsNumber, rule: (said) => numberRule(said, truth.value) };
    case 'expression':
      return { notation: 'mathematics', isAnswer: isExpression, rule: (said) => expressionRule(said, truth.value) };
    case 'choice':
      return {
        notation: 'words',
        isAnswer: namesChoice(truth.choices),
        rule: (said) => choiceRule(said, truth.letter, truth.choices),
      };
    case 'text':
      return { notation: 'words', isAnswer: anything, rule: (said) => textRule(said, truth.answers) };
    case 'short-form':
      return { notation: 'words', isAnswer: anything, rule: (said) => shortFormRule(said, truth.answer) };
    case 'twenty-four':
      return { notation: 'mathematics', isAnswer: isArithmetic, rule: (said) => twentyFourRule(said, truth.numbers) };
  }
}
