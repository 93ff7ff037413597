import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { registeredName } from './registered-name.js';

/** Datasets that are computed: they need no file. */
export const MADE_DATASETS = ['atlas', 'game24'] as const;
/** Benchmarks that are read from their published files. They are for evaluation only. */
export const FILE_BENCHMARKS = [
  'bamboogle',
  '2wiki',
  'hotpotqa',
  'musique',
  'gaia',
  'aime24',
  'amc23',
  'gpqa',
  'medqa',
] as const;
/** Training sets whose published files are known. */
export const TRAINING_SETS = ['nq', 'deepmath'] as const;

export type FileBenchmark = (typeof FILE_BENCHMARKS)[number];
export type TrainingSet = (typeof TRAINING_SETS)[number];

/** A JSON, JSONL, CSV or Parquet file, or a directory of such files. */
const path = z.string().refine(isAbsolute, 'must be an absolute path');

const trainingOptions = {
  path,
  /** Questions that are never drawn and that evaluations ask instead; a pure choice by their ids. */
  held_out: z.int().min(0).default(0),
  /** Registered benchmarks: a question that shares words with one of theirs is left out. */
  exclude_overlap_with: z.array(registeredName).default([]),
  /** So many words in a row, the same in both, are an overlap; a shorter benchmark question counts as a whole. */
  overlap_words: z.int().min(4).max(50).default(13),
};

const columns = z.strictObject({
  question: z.string().min(1),
  /** One answer, or a list of answers that are all right. */
  answer: z.string().min(1),
  /** Without it, questions are identified by their content. */
  id: z.string().min(1).optional(),
  family: z.string().min(1).optional(),
  /** A list of choices; for `kind: choice`. */
  choices: z.string().min(1).optional(),
});

const made = z.strictObject({}).transform(() => ({ kind: 'made' as const }));
const benchmark = z
  .strictObject({ benchmark: z.enum(FILE_BENCHMARKS), path })
  .transform((entry) => ({ kind: 'benchmark' as const, ...entry }));
const training = z
  .strictObject({ training: z.enum(TRAINING_SETS), ...trainingOptions })
  .transform((entry) => ({ kind: 'training' as const, ...entry }));
const own = z
  .strictObject({ columns, answers: z.enum(['text', 'number', 'expression', 'choice']), ...trainingOptions })
  .refine((entry) => entry.answers !== 'choice' || entry.columns.choices !== undefined, {
    path: ['columns', 'choices'],
    message: 'is needed for answers: choice',
  })
  .transform((entry) => ({ kind: 'own' as const, ...entry }));
const mix = z
  .strictObject({
    /** How often each training set is drawn from, relative to the others. */
    mix: z.record(registeredName, z.number().positive()),
  })
  .transform((entry) => ({ kind: 'mix' as const, ...entry }));

const KINDS = { benchmark, training, columns: own, mix } as const;
const isKind = (key: string): key is keyof typeof KINDS => Object.hasOwn(KINDS, key);

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
    if (isComputed !== (entry.kind === 'made')) {
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
