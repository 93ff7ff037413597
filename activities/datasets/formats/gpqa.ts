import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import { randomStream } from '../random.js';
import { needText, textOf, type Row } from '../rows/rows.js';
import { choiceTruth } from '../items/choice-readings.js';
import { choicesOf, questionWithChoices, rightChoice } from './choices.js';
import type { Format } from './format.js';
import type { ReadItem } from '../items/item.js';

const WRONG = ['Incorrect Answer 1', 'Incorrect Answer 2', 'Incorrect Answer 3'];
const DOMAIN = 'High-level domain';

/** GPQA as published (CSV, the right answer in a column of its own) or as in the original's benchmark files. */
export const gpqa: Format = {
  columns: [
    'Record ID',
    'Question',
    'Correct Answer',
    ...WRONG,
    DOMAIN,
    'pid',
    'question',
    'choices',
    'answer_idx',
    'answer',
  ],
  read: (row) => (row['Correct Answer'] === undefined ? readChoices(row) : readPublished(row)),
};

/** The choices have no order in the file; they get one that depends on the question alone. */
function readPublished(row: Row): ReadItem {
  const question = needText(row, 'Question');
  const right = needText(row, 'Correct Answer');
  const wrong = WRONG.map((column) => needText(row, column));
  const choices = randomStream('gpqa/choices', sha256Hex(question)).shuffle([right, ...wrong]);
  return {
    id: textOf(row, 'Record ID'),
    question: questionWithChoices(question, choices),
    family: textOf(row, DOMAIN) ?? 'science',
    truth: choiceTruth(choices, choices.indexOf(right)),
  };
}

function readChoices(row: Row): ReadItem {
  const choices = choicesOf(row, 'choices');
  return {
    id: textOf(row, 'pid'),
    question: questionWithChoices(needText(row, 'question'), choices.texts),
    family: 'science',
    truth: rightChoice(row, choices, 'answer_idx', 'answer'),
  };
}
