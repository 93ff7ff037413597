import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { FILE_BENCHMARKS, TRAINING_SETS } from '../../datasets/sources.js';
import { registeredName } from './registered-name.js';

/** Datasets that are computed: they need no file. */
const MADE_DATASETS = ['atlas', 'game24'] as const;
const ANSWER_KINDS = ['text', 'number', 'expression', 'choice'] as const;

/** How an answer of a file is scored. */
export type AnswerKind = (typeof ANSWER_KINDS)[number];

const path = z
  .string()
  .refine(isAbsolute, 'must be an absolute path')
  .meta({ title: 'absolute path', description: 'A JSON, JSONL, CSV or Parquet file, or a directory of such files.' });

const trainingOptions = {
  path,
  held_out: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'How many questions are never drawn and are asked by evaluations. The hashes of their ids choose them. With 0, a run ' +
        'that is trained on it names another dataset in `evaluation.dataset`.',
    ),
  exclude_overlap_with: z
    .array(registeredName)
    .default([])
    .describe(
      'Registered benchmarks. A question that shares a run of words with one of theirs is left out of training.',
    ),
  overlap_words: z
    .int()
    .min(4)
    .max(50)
    .default(13)
    .describe('Length of that run of words. A benchmark question that is shorter counts as a whole.'),
};

const named = z.string().min(1);
const position = z.int().min(1);
const column = z.union([named, position]).meta({ title: 'name, or position in CSV without a header' });
const someColumns = z
  .union([named, position, z.array(z.union([named, position])).min(1)])
  .meta({ title: 'name or position, or a list of them' });

const columns = z
  .strictObject({
    question: column.describe(
      'Column of the question: a text, or a chat with one message of the user. `a.b` is the field `b` of the column `a`.',
    ),
    answer: someColumns.describe(
      'Column of the answer, or of a list of answers that are all right; or several columns.',
    ),
    id: column.optional().describe('Column of the id. Without it questions are identified by their content.'),
    family: column.optional().describe('Column of the family.'),
    choices: someColumns
      .optional()
      .describe('Column of the choices, or a column for each. It is required with `answers: choice`.'),
  })
  .refine(
    (all) =>
      new Set(
        Object.values(all)
          .flat()
          .map((one) => typeof one),
      ).size === 1,
    {
      message: 'must all be names, or all positions',
    },
  );

const made = z.strictObject({}).transform(() => ({ kind: 'made' as const }));
const benchmark = z
  .strictObject({
    benchmark: z.enum([...FILE_BENCHMARKS, 'game24']).describe('A benchmark whose published files are read.'),
    path,
    ranks: z
      .tuple([z.int().min(1), z.int()])
      .optional()
      .meta({
        title: 'first and last rank',
        description: 'Of `game24`: only games of these ranks. The usual test set is that of the example.',
        examples: [[901, 1000]],
      }),
  })
  .refine(({ benchmark: name, ranks }) => ranks === undefined || name === 'game24', {
    path: ['ranks'],
    message: 'are those of game24 only',
  })
  .transform((entry) => ({ kind: 'benchmark' as const, ...entry }));
const training = z
  .strictObject({
    training: z
      .enum([...TRAINING_SETS, 'verl'])
      .describe('A training set whose published files are read, or any file in the layout of verl.'),
    answers: z
      .enum(ANSWER_KINDS)
      .optional()
      .describe('What kind the answers are of (docs/benchmarks.md#scoring). For `verl`, if its sources do not say it.'),
    ...trainingOptions,
  })
  .refine(({ training: name, answers }) => answers === undefined || name === 'verl', {
    path: ['answers'],
    message: 'are known of this training set',
  })
  .transform((entry) => ({ kind: 'training' as const, ...entry }));
const own = z
  .strictObject({
    columns,
    answers: z.enum(ANSWER_KINDS).describe('What kind the answers are of (docs/benchmarks.md#scoring).'),
    separator: z
      .string()
      .min(1)
      .optional()
      .describe('With `answers: text`: what stands between answers in one text, each of which is right.'),
    ...trainingOptions,
  })
  .refine((entry) => entry.answers === 'text' || entry.separator === undefined, {
    path: ['separator'],
    message: 'is for answers: text',
  })
  .refine((entry) => entry.answers !== 'choice' || entry.columns.choices !== undefined, {
    path: ['columns', 'choices'],
    message: 'is needed for answers: choice',
  })
  .transform((entry) => ({ kind: 'own' as const, ...entry }));
const mix = z
  .strictObject({
    mix: z.record(registeredName, z.number().positive()).meta({
      description: 'Registered training sets, and how often each is drawn from, relative to the others.',
      examples: [{ nq: 79168, deepmath: 103022 }],
    }),
  })
  .transform((entry) => ({ kind: 'mix' as const, ...entry }));

const KINDS = { benchmark, training, columns: own, mix } as const;
const isKind = (key: string): key is keyof typeof KINDS => Object.hasOwn(KINDS, key);

/** The entries that have keys, for the documentation: `datasetsSection` picks one before it parses. */
export const datasetEntries = z.record(registeredName, z.union([benchmark, training, own, mix]));

/** Parses by the schema that the value itself picks, so that a mistake is reported against that one alone. */
function picked<Output>(pick: (value: unknown) => z.ZodType<Output>) {
  return z.unknown().transform((value, context): Output => {
    const parsed = pick(value).safeParse(value);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.addIssue({ code: 'custom', path, message });
    return z.NEVER;
  });
}

export type DatasetRegistration = z.output<typeof made | typeof benchmark | typeof training | typeof own | typeof mix>;
export type DatasetRegistrations = Record<string, DatasetRegistration>;

/** The key that an entry has tells what it is. */
const registration = picked<DatasetRegistration>((entry) => {
  const keys = typeof entry === 'object' && entry !== null ? Object.keys(entry) : [];
  const kind = keys.find(isKind);
  return kind === undefined ? made : KINDS[kind];
});

const listed = z
  .array(
    z.enum(MADE_DATASETS, {
      error: `must be one of ${MADE_DATASETS.join(', ')}; what is read from files is registered as name: { benchmark: ..., path: ... }`,
    }),
  )
  .transform((names): DatasetRegistrations => Object.fromEntries(names.map((name) => [name, { kind: 'made' }])));

/** The section `datasets` of the operator's file: a list of computed ones, or name: registration. */
export const datasetsSection = picked<DatasetRegistrations>((value) =>
  Array.isArray(value) ? listed : z.record(registeredName, registration),
)
  .refine((datasets) => Object.keys(datasets).length > 0, 'must register at least one dataset')
  .superRefine((datasets, context) => {
    for (const { path, message } of contradictions(datasets)) context.addIssue({ code: 'custom', path, message });
  });

/** What no entry can know of the others. */
function contradictions(datasets: DatasetRegistrations): { path: string[]; message: string }[] {
  return Object.entries(datasets).flatMap(([name, entry]) => {
    const isComputed = (MADE_DATASETS as readonly string[]).includes(name);
    const isFileOfGames = name === 'game24' && entry.kind === 'benchmark' && entry.benchmark === 'game24';
    if (isComputed !== (entry.kind === 'made') && !isFileOfGames) {
      return [
        {
          path: [name],
          message: isComputed
            ? 'is computed: takes no options'
            : `is none of ${MADE_DATASETS.join(', ')}: needs benchmark, training, columns or mix`,
        },
      ];
    }
    if (entry.kind === 'mix') {
      return Object.keys(entry.mix)
        .filter((part) => !['training', 'own'].includes(datasets[part]?.kind))
        .map((part) => ({ path: [name, 'mix', part], message: 'must be a registered training set' }));
    }
    if (entry.kind !== 'training' && entry.kind !== 'own') return [];
    return entry.exclude_overlap_with
      .filter((other) => !isBenchmark(other, datasets[other]))
      .map((other) => ({ path: [name, 'exclude_overlap_with'], message: `${other} must be a registered benchmark` }));
  });
}

/** Whether a name is that of a dataset that is computed, or published: what an upload is called must not pass for one. */
export function isKnownName(name: string): boolean {
  return [...MADE_DATASETS, ...FILE_BENCHMARKS, ...TRAINING_SETS].some((known) => known === name);
}

/** Whether a dataset is for evaluation only. */
export function isBenchmark(name: string, entry: DatasetRegistration | undefined): boolean {
  return entry?.kind === 'benchmark' || (entry?.kind === 'made' && name === 'game24');
}

/** Whether evaluations have anything to ask of a dataset; true of what is not registered. */
export function holdsQuestionsOut(name: string, datasets: DatasetRegistrations): boolean {
  const entry = Object.hasOwn(datasets, name) ? datasets[name] : undefined;
  if (entry?.kind === 'mix') return Object.keys(entry.mix).some((part) => holdsQuestionsOut(part, datasets));
  return entry === undefined || !('held_out' in entry) || entry.held_out > 0;
}
