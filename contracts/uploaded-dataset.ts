import type { DatasetFinding, Lengths } from './dataset-check.js';
import type { RunSettings } from './run-settings.js';

/** `checking`: it is being read. `ready`: runs and evaluations may name it. `refused`: it holds mistakes. */
export const UPLOAD_STATUSES = ['checking', 'ready', 'refused'] as const;
export type UploadStatus = (typeof UPLOAD_STATUSES)[number];

/** What an uploaded file may be: the end of its name in the artifact store. */
export const UPLOAD_FORMATS = ['jsonl', 'csv', 'parquet'] as const;
export type UploadFormat = (typeof UPLOAD_FORMATS)[number];

/** The media types of an upload. */
export const UPLOAD_TYPES: Record<string, UploadFormat> = {
  'application/jsonl': 'jsonl',
  'application/x-ndjson': 'jsonl',
  'application/x-jsonlines': 'jsonl',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/vnd.apache.parquet': 'parquet',
  'application/x-parquet': 'parquet',
};

/** Where an uploaded file has its questions and answers, as the operator says it of a file of `columns`. */
export interface UploadLayout {
  columns: { question: string; answer: string[]; id?: string; family?: string; choices?: string[] };
  answers: 'text' | 'number' | 'expression' | 'choice';
  separator?: string;
  held_out: number;
}

/** Something that keeps a record of an uploaded file from being read. */
export interface UploadMistake {
  /** The record, from 1; a header is none. Null if it is the whole file. */
  row: number | null;
  /** The line, if that is known, else the record, as in `line 3`. */
  place: string | null;
  column: string | null;
  message: string;
}

/** What is in an uploaded file, without any truth. */
export interface UploadReport {
  training: number;
  held_out: number;
  /** Questions of each family; of the largest ones, if there are very many. */
  families: Record<string, number>;
  /** Lengths of the questions. */
  characters: Lengths;
  notes: string[];
  findings: DatasetFinding[];
  /** Records that say the same as another. */
  repeated: number;
  /** Training questions that are held out in another record. */
  held_out_twice: number;
  /** Over every question and truth: what a run's identity holds. */
  questions_sha256: string;
}

/** A question as it was read. */
export interface PreviewRow {
  question: string;
  answers: string[];
  family: string;
  choices: string[] | null;
  split: 'training' | 'held_out';
}

/** What came of reading an uploaded file. */
export interface UploadCheck {
  /** Null if there is no question in it. */
  report: UploadReport | null;
  mistakes: { count: number; first: UploadMistake[] };
  /** The first questions, in the order of the file. */
  preview: PreviewRow[];
}

/** The workflow of a check, by its name. Its id is the upload's. */
export const DATASET_CHECK_WORKFLOW = 'datasetCheck';

export interface CheckUploadInput {
  /** Of the upload. */
  id: string;
}

export interface DatasetCheckInput extends CheckUploadInput {
  settings: RunSettings;
}

export interface UploadActivities {
  /** Reads an uploaded file and writes what came of it into its row. Of one that is not being checked it does nothing. */
  checkUpload(input: CheckUploadInput): Promise<void>;
}
