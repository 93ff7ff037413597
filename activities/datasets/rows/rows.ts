/** One record of a published file, by column; values are whatever the file format holds. */
export type Row = Record<string, unknown>;

/** A file or record does not have the form that was expected. The message names what is missing. */
export class RowError extends Error {
  override readonly name = 'RowError';
}

/** The first of these columns that holds a text, number or truth value, as trimmed text; undefined where none does. */
export function textOf(row: Row, ...columns: string[]): string | undefined {
  for (const column of columns) {
    const text = scalarText(row[column]);
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

/** The same, for a column that must be there. @throws RowError */
export function needText(row: Row, ...columns: string[]): string {
  const text = textOf(row, ...columns);
  if (text === undefined) throw new RowError(`has no ${columns.join(' or ')}`);
  return text;
}

/** Every text in these columns, of lists as well. */
export function textsOf(row: Row, ...columns: string[]): string[] {
  const values = columns.flatMap((column): unknown[] => {
    const value = row[column];
    return Array.isArray(value) ? (value as unknown[]) : [value];
  });
  return values.map(scalarText).filter((text): text is string => text !== undefined && text !== '');
}

/** The same, for columns that must hold one at least. @throws RowError */
export function needTexts(row: Row, ...columns: string[]): string[] {
  const texts = textsOf(row, ...columns);
  if (texts.length === 0) throw new RowError(`has no ${columns.join(' or ')}`);
  return texts;
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return undefined;
}
