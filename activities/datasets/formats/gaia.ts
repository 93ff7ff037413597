import { needText, textOf } from '../rows/rows.js';
import type { Format } from './format.js';

/**
 * GAIA's validation questions that need no file. The test split, whose answers are not published (`?`), and questions
 * with an attachment are left out.
 */
export const gaia: Format = {
  columns: ['task_id', 'Question', 'Level', 'Final answer', 'file_name'],
  read: (row) => {
    const answer = needText(row, 'Final answer');
    if (answer === '?' || textOf(row, 'file_name') !== undefined) return undefined;
    return {
      id: needText(row, 'task_id'),
      question: needText(row, 'Question'),
      family: `level ${textOf(row, 'Level') ?? 'unknown'}`,
      truth: { kind: 'short-form', answer },
    };
  },
};
