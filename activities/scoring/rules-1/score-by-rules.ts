import type { Truth } from '../../datasets/items/truth.js';
import { scoreExactNumber } from './exact-number.js';
import { finalAnswer } from './final-answer.js';
import { choiceRule } from './rules/choice.rule.js';
import { expressionRule } from './rules/expression.rule.js';
import { ruled, type Finding } from './rules/finding.js';
import { numberRule } from './rules/number.rule.js';
import { shortFormRule } from './rules/short-form.rule.js';
import { textRule } from './rules/text.rule.js';
import { twentyFourRule } from './rules/twenty-four.rule.js';

/**
 * The rules of runs that began with `rules-1`, as they were: their rewards are made and replayed by nothing else. Nothing in
 * this folder is changed.
 */
export function scoreByRules1(answer: string, truth: Truth): Finding {
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
