import { z } from 'zod';
import { UPLOAD_FORMATS, UPLOAD_STATUSES } from '../../contracts/uploaded-dataset.js';
import { holdsQuestionsOut, isBenchmark, type DatasetRegistration } from '../../infra/config/operator/datasets.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { UploadedDataset } from '../../infra/database/entities/index.js';
import { listSchema, wholeInQuery } from '../common/list.dto.js';

const ROWS = 100;
/** More than a project and an operator have together: without a limit, the list is whole. */
const DATASETS = 1000;

const upload = z.object({
  id: z.string().describe('Of this upload: another one of the same name has another.'),
  status: z
    .enum(UPLOAD_STATUSES)
    .describe('`checking`: it is being read. `ready`: it can be named. `refused`: it holds mistakes.'),
  format: z.enum(UPLOAD_FORMATS),
  bytes: z.int(),
  sha256: z.string().describe('Of the bytes.'),
  columns: z.object({
    question: z.string(),
    answer: z.array(z.string()),
    id: z.string().optional(),
    family: z.string().optional(),
    choices: z.array(z.string()).optional(),
  }),
  training: z.int().nullable().describe('Questions to train on. Null until it is known.'),
  held_out: z.int().nullable().describe('Questions that evaluations ask.'),
  mistakes: z
    .int()
    .nullable()
    .describe(
      'Records that cannot be read. One is enough for the file to be refused. If none can, each kind counts once.',
    ),
  created_at: z.iso.datetime(),
  checked_at: z.iso.datetime().nullable(),
});

const dataset = z.object({
  id: z.string().describe('What `dataset.name` or a benchmark names.'),
  object: z.literal('dataset'),
  kind: z
    .enum(['computed', 'benchmark', 'training', 'columns', 'mix', 'uploaded'])
    .describe('How the operator registered it (docs/benchmarks.md#register); `uploaded`: the project did it.'),
  format: z.string().nullable().describe('Whose published files are read. Null of others.'),
  answers: z.string().nullable().describe('What kind the answers are of. Null if that is known of the format.'),
  trainable: z.boolean().describe('Whether a run may be trained on it. A benchmark is for evaluations only.'),
  held_out: z.boolean().describe('Whether evaluations have questions of it to ask.'),
  mix: z.record(z.string(), z.number()).nullable().describe('Its parts, and how often each is drawn from.'),
  upload: upload.nullable().describe('Null if the operator registered it.'),
});
export const datasetListSchema = listSchema('Dataset', dataset);
export type DatasetDto = z.infer<typeof dataset>;

const finding = z.object({
  kind: z.string(),
  says: z.string(),
  count: z.int(),
  first: z.array(z.string()).describe('Ids of the first questions.'),
});
const check = z.object({
  families: z.record(z.string(), z.int()).describe('Questions of each family, of the 100 largest.'),
  characters: z
    .object({ median: z.int(), p95: z.int(), longest: z.int() })
    .nullable()
    .describe('Lengths of the questions.'),
  notes: z.array(z.string()).describe('What is strange about the file.'),
  findings: z.array(finding).describe('What a person should look at; nothing of it keeps the dataset from being used.'),
  repeated: z.int().describe('Records that say the same as another: they are asked once.'),
  held_out_twice: z.int().describe('Training questions that were left out: they are held out in another record.'),
  questions_sha256: z.string().nullable().describe('Over every question and answer: what the identity of a run holds.'),
  mistakes: z
    .array(
      z.object({
        row: z.int().nullable().describe('The record, from 1; a header is none. Null if it is the whole file.'),
        place: z.string().nullable().describe('The line if it is known, else the record.'),
        column: z.string().nullable(),
        message: z.string(),
      }),
    )
    .describe('The first 100; `upload.mistakes` counts all.'),
});

export const datasetWithCheckSchema = dataset.extend({
  check: check.nullable().describe('What was found in it. Null while it is being checked, and of a registered one.'),
});
export type DatasetWithCheckDto = z.infer<typeof datasetWithCheckSchema>;

const row = z.object({
  row: z.int().describe('Of the preview, from 1.'),
  object: z.literal('dataset_row'),
  question: z.string(),
  answers: z.array(z.string()).describe('Each of which is right.'),
  family: z.string(),
  choices: z.array(z.string()).nullable(),
  split: z.enum(['training', 'held_out']),
});
export const datasetRowListSchema = listSchema('DatasetRow', row);
export type DatasetRowDto = z.infer<typeof row>;

export const datasetsQuery = z.strictObject({
  after: z.string().max(512).optional(),
  limit: wholeInQuery(z.coerce.number().int().min(1).max(DATASETS).default(DATASETS)),
});
export type DatasetsQuery = z.infer<typeof datasetsQuery>;

export const rowsQuery = z.strictObject({
  after: wholeInQuery(z.coerce.number().int().min(0).max(ROWS)).optional(),
  limit: wholeInQuery(z.coerce.number().int().min(1).max(ROWS).default(20)),
});
export type RowsQuery = z.infer<typeof rowsQuery>;

/** What is told of a registration: never a path (I12). */
export function toRegisteredDtos({ datasets }: OperatorFile): DatasetDto[] {
  return Object.entries(datasets).map(([id, entry]) => ({
    id,
    object: 'dataset',
    kind: KINDS[entry.kind],
    format: formatOf(entry),
    answers: ('answers' in entry && entry.answers) || null,
    trainable: !isBenchmark(id, entry),
    held_out: holdsQuestionsOut(id, datasets),
    mix: 'mix' in entry ? entry.mix : null,
    upload: null,
  }));
}

const KINDS = {
  made: 'computed',
  benchmark: 'benchmark',
  training: 'training',
  own: 'columns',
  mix: 'mix',
} as const satisfies Record<DatasetRegistration['kind'], DatasetDto['kind']>;

function formatOf(entry: DatasetRegistration): string | null {
  if (entry.kind === 'benchmark') return entry.benchmark;
  return entry.kind === 'training' ? entry.training : null;
}

export function toUploadedDto(row: UploadedDataset): DatasetDto {
  const { id, name, status, format, bytes, sha256, layout, report, mistakes, createdAt, checkedAt } = row;
  const [training, heldOut] = [report?.training ?? null, report?.held_out ?? null];
  return {
    id: name,
    object: 'dataset',
    kind: 'uploaded',
    format: null,
    answers: layout.answers,
    trainable: status === 'ready' && training !== 0,
    held_out: status === 'ready' && heldOut !== 0,
    mix: null,
    upload: {
      id,
      status,
      format,
      bytes,
      sha256,
      columns: layout.columns,
      training,
      held_out: heldOut,
      mistakes: mistakes?.count ?? null,
      created_at: createdAt.toISOString(),
      checked_at: checkedAt?.toISOString() ?? null,
    },
  };
}

export function withCheck(row: UploadedDataset): DatasetWithCheckDto {
  const { report, mistakes } = row;
  return {
    ...toUploadedDto(row),
    check: mistakes && {
      families: report?.families ?? {},
      characters: report?.characters ?? null,
      notes: report?.notes ?? [],
      findings: report?.findings ?? [],
      repeated: report?.repeated ?? 0,
      held_out_twice: report?.held_out_twice ?? 0,
      questions_sha256: report?.questions_sha256 ?? null,
      mistakes: mistakes.first,
    },
  };
}
