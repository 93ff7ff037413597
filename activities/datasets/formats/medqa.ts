import { needText, textOf } from '../rows/rows.js';
import { choicesOf, questionWithChoices, rightChoice } from './choices.js';
import type { Format } from './format.js';

/** MedQA (USMLE, four options), with options by letter as published or as the original's list of lettered texts. */
export const medqa: Format = {
  columns: ['pid', 'id', 'question', 'options', 'answer', 'answer_idx', 'meta_info'],
  read: (row) => {
    const choices = choicesOf(row, 'options');
    return {
      id: textOf(row, 'id', 'pid'),
      question: questionWithChoices(stem(needText(row, 'question'), choices.texts), choices.texts),
      family: textOf(row, 'meta_info') ?? 'medicine',
      truth: rightChoice(row, choices, 'answer_idx', 'answer'),
    };
  },
};

/** The question without the options that some layouts repeat, once or twice, at its end. */
function stem(question: string, choices: readonly string[]): string {
  const start = question.indexOf(`\nA. ${choices[0]}`);
  return start < 0 ? question : question.slice(0, start);
}
