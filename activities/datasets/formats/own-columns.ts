import type { DatasetRegistration } from '../../../infra/config/operator/datasets.js';
import type { Truth } from '../items/truth.js';
import { needText, needTexts, textOf, type Row } from '../rows/rows.js';
import { bareChoices, choiceTruth, questionWithChoices, rightChoice } from './choices.js';
import type { Format } from './format.js';

type OwnFile = Extract<DatasetRegistration, { kind: 'own' }>;

/** A file with columns that the operator named. */
export function ownColumns(name: string, { columns, answers }: OwnFile): Format {
  const used = [columns.question, columns.answer, columns.id, columns.family, columns.choices];
  return {
    columns: used.filter((column) => column !== undefined),
    read: (row) => {
      const choices = columns.choices === undefined ? [] : bareChoices(needTexts(row, columns.choices));
      const question = needText(row, columns.question);
      return {
        id: columns.id === undefined ? undefined : needText(row, columns.id),
        question: answers === 'choice' ? questionWithChoices(question, choices) : question,
        family: (columns.family && textOf(row, columns.family)) ?? name,
        truth: truthOf(row, columns.answer, answers, choices),
      };
    },
  };
}

function truthOf(row: Row, column: string, answers: OwnFile['answers'], choices: readonly string[]): Truth {
  switch (answers) {
    case 'text':
      return { kind: 'text', answers: needTexts(row, column) };
    case 'number':
    case 'expression':
      return { kind: answers, value: needText(row, column) };
    case 'choice':
      return choiceTruth(choices, rightChoice(row, choices, column, column));
  }
}
