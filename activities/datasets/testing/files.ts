import { writeFileSync } from 'node:fs';
import { parquetWriteFile } from 'hyparquet-writer';
import type { SchemaElement } from 'hyparquet';

/** Records as files of them come: small, made when a test needs them. */
export type Records = readonly Record<string, unknown>[];

export function jsonLines(records: readonly unknown[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** Every cell in quotes if it needs them. */
export function table(rows: readonly (readonly unknown[])[], delimiter = ','): string {
  const cell = (value: unknown): string => {
    const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : `${(value ?? '') as string}`;
    return /["\n\r]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(delimiter)}\r\n`).join('');
}

/** With the names of the columns of the first record as a header. */
export function tableOf(records: Records, delimiter?: string): string {
  const columns = Object.keys(records[0]);
  return table([columns, ...records.map((record) => columns.map((column) => record[column]))], delimiter);
}

export function utf16(text: string, { bigEndian = false, mark = true } = {}): Buffer {
  const bytes = Buffer.from(mark ? `\uFEFF${text}` : text, 'utf16le');
  return bigEndian ? bytes.swap16() : bytes;
}

/** Characters beyond ASCII as Windows-1252 has them: those of Latin-1, and the dash, quotes and the euro sign. */
export function windows1252(text: string): Buffer {
  const own: Record<string, number> = { '€': 0x80, '‘': 0x91, '’': 0x92, '“': 0x93, '”': 0x94, '–': 0x96 };
  return Buffer.from([...text].map((sign) => own[sign] ?? sign.charCodeAt(0)));
}

/** A Parquet file with nested columns: lists, objects and texts, by the shape of the first record. */
export function writeParquet(path: string, records: Records): void {
  const [first] = records;
  const columns = Object.keys(first);
  const schema: SchemaElement[] = [
    { name: 'root', num_children: columns.length },
    ...columns.flatMap((column) => elements(column, first[column])),
  ];
  const columnData = columns.map((name) => ({ name, data: records.map((record) => record[name]) }));
  parquetWriteFile({ filename: path, columnData, schema });
}

function elements(name: string, value: unknown): SchemaElement[] {
  const repetition_type = 'OPTIONAL' as const;
  if (Array.isArray(value)) {
    return [
      { name, repetition_type, converted_type: 'LIST', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...elements('element', value[0]),
    ];
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value);
    return [
      { name, repetition_type, num_children: fields.length },
      ...fields.flatMap(([field, inner]) => elements(field, inner)),
    ];
  }
  if (typeof value === 'bigint') return [{ name, repetition_type, type: 'INT64' }];
  if (typeof value === 'number') return [{ name, repetition_type, type: 'DOUBLE' }];
  return [{ name, repetition_type, type: 'BYTE_ARRAY', converted_type: 'UTF8' }];
}

/** Writes a file and gives its path. */
export function written(path: string, content: string | Buffer): string {
  writeFileSync(path, content);
  return path;
}
