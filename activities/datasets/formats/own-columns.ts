import type { DatasetRegistration } from '../../../infra/config/operator/datasets.js';
import { inColumn, needText, textOf, type Row } from '../rows/rows.js';
import { choicesOf, questionWithChoices } from './choices.js';
import type { Format } from './format.js';
import { promptText } from './prompt.js';
import { truthOf } from './truth-of.js';

type OwnFile = Extract<DatasetRegistration, { kind: 'own' }>;

/** A file with columns that the operator named. */
export function ownColumns(name: string, { columns, answers, separator }: OwnFile): Format {
  const question = String(columns.question);
  const [[id], [family]] = [names(columns.id), names(columns.family)];
  const used = { answers: names(columns.answer), choices: names(columns.choices), separator };
  const withChoices = (row: Row, asked: string) => questionWithChoices(asked, choicesOf(row, ...used.choices).texts);
  const truth = used.answers.join(' or ');
  return {
    columns: [question, id, family, ...used.answers, ...used.choices].filter((column) => column !== undefined),
    parts: { id, question, family, truth },
    byPosition: typeof columns.question === 'number',
    note: (present) => {
      const further = answers === 'text' ? present.filter((column) => isFurther(column, used.answers)) : [];
      if (further.length === 0) return undefined;
      return `columns that look like further answers are not used: ${further.join(', ')}. Name them in columns.answer if they are`;
    },
    read: (row) => {
      const asked = inColumn(question, () => promptText(row, question));
      return {
        id: id === undefined ? undefined : needText(row, id),
        question: answers === 'choice' ? inColumn(used.choices.join(' or '), () => withChoices(row, asked)) : asked,
        family: (family === undefined ? undefined : textOf(row, family)) ?? name,
        truth: inColumn(truth, () => truthOf(row, answers, used)),
      };
    },
  };
}

/** `Answer 2` beside `Answer`. */
function isFurther(column: string, answers: readonly string[]): boolean {
  const isNumbered = answers.some(
    (answer) => column.startsWith(answer) && /^[ ._-]?\d+$/.test(column.slice(answer.length)),
  );
  return isNumbered && !answers.includes(column);
}

function names(columns: string | number | readonly (string | number)[] | undefined): string[] {
  return columns === undefined ? [] : [columns].flat().map(String);
}
