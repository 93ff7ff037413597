import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { FETCH_RECORD } from '../../../infra/datasets/fetch-record.js';
import { readCsv } from './read-csv.js';
import { readJson } from './read-json.js';
import { readParquet } from './read-parquet.js';
import { isRow, RowError, type Found, type Row, type Wanted } from './rows.js';

type Reader = (path: string, wanted: Wanted) => AsyncIterable<Found>;

const READERS: Record<string, Reader> = {
  '.json': readJson,
  '.jsonl': readJson,
  '.ndjson': readJson,
  '.csv': readCsv,
  '.parquet': readParquet,
};

/** A record with the columns that it or its file has, or a reason why there is none; and where that was. */
export type ReadRow = { place: string; row: Row; columns: readonly string[] } | { place: string; problem: string };

/**
 * The records of a file, or of every file of records in a directory by name, each with where it came from. A record that
 * cannot be read has a reason in its place.
 * @throws RowError naming the file, if it cannot be read at all
 */
export async function* readRows(path: string, wanted: Wanted): AsyncGenerator<ReadRow> {
  for (const file of await filesOfRecords(path)) {
    let number = 0;
    for await (const found of READERS[extname(file)](file, wanted)) {
      number += 1;
      const place = `${file}, ${found.place ?? `record ${number}`}`;
      if ('problem' in found) yield { place, problem: found.problem };
      else if (isRow(found.value))
        yield { place, row: found.value, columns: found.columns ?? Object.keys(found.value) };
      else yield { place, problem: 'is no object' };
    }
  }
}

/** @throws RowError if nothing readable is there */
export async function filesOfRecords(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: Error) => {
    throw new RowError(`${path}: cannot be read: ${error.message}`, { cause: error });
  });
  const names = found.isDirectory() ? (await readdir(path)).sort().map((name) => join(path, name)) : [path];
  const files = names.filter((name) => Object.hasOwn(READERS, extname(name)) && !name.endsWith(`/${FETCH_RECORD}`));
  if (files.length > 0) return files;
  throw new RowError(`${path}: no file of records (${Object.keys(READERS).join(', ')}).`);
}
