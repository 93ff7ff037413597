import { z } from 'zod';
import type { UploadLayout } from '../../contracts/uploaded-dataset.js';
import { registeredName } from '../../infra/config/operator/registered-name.js';
import { wholeInQuery } from '../common/list.dto.js';

const MOST_COLUMNS = 26;
const MOST_HELD_OUT = 10_000_000;

const column = z.string().min(1).max(200);
/** Said once or several times. */
const columns = z.preprocess(
  (said) => (typeof said === 'string' ? [said] : said),
  z.array(column).min(1).max(MOST_COLUMNS),
);

/** The query of an upload: what the dataset is called, and where its questions and answers are. */
export const uploadQuery = z
  .strictObject({
    name: registeredName.describe('What runs and evaluations name.'),
    question: column
      .default('question')
      .describe('Column of the question: a text, or a chat with one message of the user. `a.b` is a field of `a`.'),
    answer: columns
      .default(['answer'])
      .describe('Column of the answer, or of a list of answers that are all right; or several columns.'),
    id: column.optional().describe('Column of the id. Without it questions are identified by their content.'),
    family: column.optional().describe('Column of the family.'),
    choices: columns.optional().describe('Column of the choices, or one for each. Needed with `answers=choice`.'),
    answers: z
      .enum(['text', 'number', 'expression', 'choice'])
      .default('text')
      .describe('What kind the answers are of (docs/benchmarks.md#scoring).'),
    separator: z
      .string()
      .min(1)
      .max(20)
      .optional()
      .describe('With `answers=text`: what stands between answers in one text, each of which is right.'),
    held_out: wholeInQuery(z.coerce.number().int().min(0).max(MOST_HELD_OUT))
      .default(0)
      .describe(
        'How many questions are never trained on and are asked by evaluations. If there are not more, all of them. With 0, a ' +
          'run that is trained on it names another dataset in `evaluation.dataset`.',
      ),
  })
  .refine(({ answers, choices }) => answers !== 'choice' || choices !== undefined, {
    path: ['choices'],
    message: 'is needed for answers=choice',
  })
  .refine(({ answers, separator }) => answers === 'text' || separator === undefined, {
    path: ['separator'],
    message: 'is for answers=text',
  });
export type UploadQuery = z.infer<typeof uploadQuery>;

export function layoutOf({ question, answer, id, family, choices, ...rest }: Omit<UploadQuery, 'name'>): UploadLayout {
  return { columns: { question, answer, id, family, choices }, ...rest };
}
