import type { Truth } from '../datasets/items/truth.js';
import { scoreExactNumber } from './exact-number.js';
import { finalAnswer } from './final-answer.js';
import { choiceRule } from './rules/choice.rule.js';
import { expressionRule } from './rules/expression.rule.js';
import { ruled, type Finding } from './rules/finding.js';
import { numberRule } from './rules/number.rule.js';
import { shortFormRule } from './rules/short-form.rule.js';
import { textRule } from './rules/text.rule.js';
import { twentyFourRule } from './rules/twenty-four.rule.js';

/** Identity of the rules (I8): changes with every change of what counts as right. */
export const RULES = 'rules-1';

/** What the rule for this kind of truth says of an answer. */
export function scoreByRules(answer: string, truth: Truth): Finding {
  switch (truth.kind) {
    case 'exact-number':
      return ruled(scoreExactNumber(answer, truth.value) === 1);
    case 'number':
      return numberRule(finalAnswer(answer), truth.value);
    case 'expression':
      return expressionRule(finalAnswer(answer), truth.value);
    case 'choice':
      return choiceRule(finalAnswer(answer), truth.letter, truth.choices);
    case 'text':
      return textRule(finalAnswer(answer), truth.answers);
    case 'short-form':
      return shortFormRule(finalAnswer(answer), truth.answer);
    case 'twenty-four':
      return twentyFourRule(finalAnswer(answer), truth.numbers);
  }
}

/** The right answers in words: for a judge, and for the reason of a training question's score. */
export function wordsOfTruth(truth: Truth): string[] {
  switch (truth.kind) {
    case 'exact-number':
    case 'number':
    case 'expression':
      return [String(truth.value)];
    case 'choice':
      return [`${truth.letter}. ${truth.choices[truth.letter.charCodeAt(0) - 'A'.charCodeAt(0)]}`];
    case 'text':
      return truth.answers;
    case 'short-form':
      return [truth.answer];
    case 'twenty-four':
      return [`an expression of ${truth.numbers.join(', ')} that makes 24`];
  }
}
