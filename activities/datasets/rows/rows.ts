import { parseJson } from './parse-json.js';
import { quotedList } from './quoted-list.js';

/** One record of a published file, by column; values are whatever the file format holds. */
export type Row = Record<string, unknown>;

/** A file or record does not have the form that was expected. The message names what is missing. */
export class RowError extends Error {
  override readonly name = 'RowError';
  /** The column that is at fault, if that is known. */
  column?: string;
}

/** What a part of a record is read by; a mistake in it is one of this column, unless it says another. */
export function inColumn<T>(column: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RowError) error.column ??= column;
    throw error;
  }
}

/** A record has nothing in any of these columns. */
export class MissingText extends RowError {
  constructor(readonly columns: readonly string[]) {
    super(`has no ${columns.join(' or ')}`);
    this.column = columns.join(' or ');
  }
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The value of a column; `reward_model.ground_truth` is a field of one, which may be JSON as a text. */
export function valueOf(row: Row, column: string): unknown {
  if (Object.hasOwn(row, column)) return row[column];
  const dot = column.indexOf('.');
  if (dot < 0) return undefined;
  const outer = row[column.slice(0, dot)];
  const inner = typeof outer === 'string' && outer.startsWith('{') ? jsonOrNothing(outer) : outer;
  return isRow(inner) ? valueOf(inner, column.slice(dot + 1)) : undefined;
}

/** The first of these columns that holds a text, number or truth value, as trimmed text; undefined if none does. */
export function textOf(row: Row, ...columns: string[]): string | undefined {
  for (const column of columns) {
    const text = scalarText(valueOf(row, column));
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

/** The same, for a column that must be there. @throws RowError */
export function needText(row: Row, ...columns: string[]): string {
  const text = textOf(row, ...columns);
  if (text === undefined) throw new MissingText(columns);
  return text;
}

/** Every text in these columns, of lists, of lists written as a text, and of what holds answers under a name. */
export function textsOf(row: Row, ...columns: string[]): string[] {
  return columns.flatMap((column) => textsIn(valueOf(row, column)));
}

/** The same, for columns that must hold one at least. @throws RowError */
export function needTexts(row: Row, ...columns: string[]): string[] {
  const texts = textsOf(row, ...columns);
  if (texts.length === 0) throw new MissingText(columns);
  return texts;
}

/** What layouts call the answers inside of a value: `{ target: [...] }`, `{ value, aliases }`, `{ text, answer_start }`. */
const ANSWER_FIELDS = ['target', 'value', 'text', 'answer', 'answers', 'aliases'];

function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (isRow(value)) return ANSWER_FIELDS.flatMap((field) => textsIn(value[field]));
  const text = scalarText(value);
  if (text === undefined || text === '') return [];
  return quotedList(text)?.flatMap(textsIn) ?? [text];
}

/** A number, text, truth value or date as a trimmed text; undefined for anything else, NaN included. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : String(value);
  if (value instanceof Date) return value.toISOString().replace('T00:00:00.000Z', '');
  return undefined;
}

function jsonOrNothing(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** What a reader is asked for, and whom it tells what is strange about a file. */
export interface Wanted {
  /** The columns that are needed, or those of which they are fields: a Parquet file is read no further. */
  columns: readonly string[];
  /** Columns of CSV are named by their position, from 1: its first line is a record. */
  byPosition?: boolean;
  note: (text: string) => void;
}

/** What was found in a record's place: any value, or why there is none. `columns` are all that the file has. */
export type Found =
  { value: unknown; columns?: readonly string[]; place?: string } | { problem: string; place?: string };
