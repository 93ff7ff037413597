import { needText, RowError, textOf } from '../rows/rows.js';
import { resultOf } from './final-result.js';
import { withoutInstruction, type Format } from './format.js';

const IDS = ['id', 'ID', 'pid', 'idx'];
const QUESTIONS = ['question', 'Problem', 'problem', 'query'];

/** AIME and AMC problems: the answer is a number, or the box in a solution. */
export function numericProblems(family: string): Format {
  const answers = ['answer', 'Answer', 'solution', 'Solution'];
  return {
    columns: [...IDS, ...QUESTIONS, ...answers],
    read: (row) => {
      const value = resultOf(row, ...answers).replace(/(?<=\d),(?=\d{3}\b)/g, '');
      if (!Number.isFinite(Number(value))) throw new RowError('has an answer that is no number');
      return {
        id: textOf(row, ...IDS),
        question: withoutInstruction(needText(row, ...QUESTIONS)),
        family,
        truth: { kind: 'number', value },
      };
    },
  };
}

/** DeepMath-103K: the answer is an expression in LaTeX. Families are difficulties, rounded down. */
export const deepMath: Format = {
  columns: [...IDS, 'question', 'final_answer', 'difficulty'],
  read: (row) => {
    const difficulty = Number(textOf(row, 'difficulty') ?? NaN);
    return {
      id: textOf(row, ...IDS),
      question: needText(row, 'question'),
      family: Number.isFinite(difficulty) ? `difficulty ${Math.floor(difficulty)}` : 'mathematics',
      truth: { kind: 'expression', value: resultOf(row, 'final_answer') },
    };
  },
};
