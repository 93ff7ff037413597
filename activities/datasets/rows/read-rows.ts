import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse as parseCsv } from 'csv-parse';
import { FETCH_RECORD } from '../../../infra/datasets/fetch-record.js';
import { readParquet } from './read-parquet.js';
import { RowError, type Row } from './rows.js';

const READERS: Record<string, (path: string, columns: readonly string[]) => AsyncIterable<unknown>> = {
  '.json': readJson,
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
  '.csv': readCsv,
  '.parquet': readParquet,
};

/**
 * The records of a file, or of every file of records in a directory by name, each with where it came from.
 * `columns` are those that are needed: a Parquet file is read no further.
 * @throws RowError naming the file, and the line or record where it is not readable
 */
export async function* readRows(path: string, columns: readonly string[]): AsyncGenerator<{ row: Row; place: string }> {
  for (const file of await filesOfRecords(path)) {
    let number = 0;
    for await (const row of READERS[extname(file)](file, columns)) {
      number += 1;
      const place = `${file}, record ${number}`;
      if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new RowError(`${place}: is no object.`);
      yield { row: row as Row, place };
    }
  }
}

/** @throws RowError where nothing readable is there */
async function filesOfRecords(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: Error) => {
    throw new RowError(`${path}: cannot be read: ${error.message}`, { cause: error });
  });
  const names = found.isDirectory() ? (await readdir(path)).sort().map((name) => join(path, name)) : [path];
  const files = names.filter((name) => Object.hasOwn(READERS, extname(name)) && !name.endsWith(`/${FETCH_RECORD}`));
  if (files.length > 0) return files;
  throw new RowError(`${path}: no file of records (${Object.keys(READERS).join(', ')}).`);
}

/** A JSON array of records. */
async function* readJson(path: string): AsyncGenerator<unknown> {
  const parsed = parseJson(await readFile(path, 'utf8'), path);
  if (!Array.isArray(parsed)) throw new RowError(`${path}: must be a JSON array of records.`);
  yield* parsed as unknown[];
}

async function* readJsonLines(path: string): AsyncGenerator<unknown> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity })) {
    number += 1;
    if (line.trim() !== '') yield parseJson(line, `${path}, line ${number}`);
  }
}

async function* readCsv(path: string): AsyncGenerator<unknown> {
  const parser = createReadStream(path).pipe(parseCsv({ bom: true, columns: true, skip_empty_lines: true }));
  try {
    yield* parser;
  } catch (error) {
    throw new RowError(`${path}: is not CSV: ${(error as Error).message}`, { cause: error });
  }
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new RowError(`${place}: is not JSON: ${(error as Error).message}`, { cause: error });
  }
}
