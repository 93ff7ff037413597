import { needText, RowError, textOf, textsOf, type Row } from '../rows/rows.js';
import { bareChoices, choiceTruth, letterOf, questionWithChoices, rightChoice } from './choices.js';
import type { Format } from './format.js';

/** MedQA (USMLE, four options), with options by letter as published or as the original's list of lettered texts. */
export const medqa: Format = {
  columns: ['pid', 'id', 'question', 'options', 'answer', 'answer_idx', 'meta_info'],
  read: (row) => {
    const choices = optionsOf(row);
    return {
      id: textOf(row, 'id', 'pid'),
      question: questionWithChoices(stem(needText(row, 'question'), choices), choices),
      family: textOf(row, 'meta_info') ?? 'medicine',
      truth: choiceTruth(choices, rightChoice(row, choices, 'answer_idx', 'answer')),
    };
  },
};

function optionsOf(row: Row): string[] {
  if (Array.isArray(row.options)) return bareChoices(textsOf(row, 'options'));
  if (typeof row.options !== 'object' || row.options === null) throw new RowError('has no options');
  const byLetter = row.options as Row;
  return Object.keys(byLetter)
    .sort()
    .map((letter, index) => {
      if (letter !== letterOf(index)) throw new RowError(`has options that are not A, B, C, …: ${letter}`);
      return needText(byLetter, letter);
    });
}

/** The question without the options that some layouts repeat, once or twice, at its end. */
function stem(question: string, choices: readonly string[]): string {
  const start = question.indexOf(`\nA. ${choices[0]}`);
  return start < 0 ? question : question.slice(0, start);
}
