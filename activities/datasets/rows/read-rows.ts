import { open, readdir, stat } from 'node:fs/promises';
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
  '.tsv': readCsv,
  '.parquet': readParquet,
};

/** A record with the columns that it or its file has, or a reason why there is none; and where that was. */
export type ReadRow = ReadPlace & ({ row: Row; columns: readonly string[] } | { problem: string });

/** Where a record came from. */
export interface ReadPlace {
  /** With the file, as in `/data/nq.jsonl, record 3`. */
  place: string;
  /** In the file. */
  at: string;
  /** Of the record in its file, from 1. */
  number: number;
}

/**
 * The records of a file, or of every file of records in a directory by name, each with where it came from. A record
 * that cannot be read has a reason in its place.
 * @throws RowError naming the file, if it cannot be read at all
 */
export async function* readRows(path: string, wanted: Wanted): AsyncGenerator<ReadRow> {
  for (const file of await filesOfRecords(path)) {
    let number = 0;
    for await (const found of READERS[extname(file)](file, wanted)) {
      number += 1;
      const at = found.place ?? `record ${number}`;
      const read = { place: `${file}, ${at}`, at, number };
      if ('problem' in found) yield { ...read, problem: found.problem };
      else if (isRow(found.value))
        yield { ...read, row: found.value, columns: found.columns ?? Object.keys(found.value) };
      else yield { ...read, problem: 'is no object' };
    }
  }
}

/** What lies beside records and is none: a download's record, what Hugging Face's library writes. */
const NO_RECORDS = [FETCH_RECORD, 'dataset_info.json'];
const PACKED = ['.gz', '.zst', '.bz2', '.xz', '.zip'];
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** @throws RowError if nothing readable is there */
export async function filesOfRecords(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'there is no such file or directory' : `cannot be read: ${error.message}`;
    throw new RowError(`${path}: ${reason}.`, { cause: error });
  });
  const all = found.isDirectory() ? await filesIn(path) : [path];
  const files = all.filter((file) => Object.hasOwn(READERS, extname(file)));
  for (const file of files) await refusePointer(file);
  if (files.length > 0) return files;
  const packed = all.find((file) => PACKED.includes(extname(file)));
  if (packed !== undefined)
    throw new RowError(`${packed}: is packed. Unpack it, and register the file that was in it.`);
  throw new RowError(`${path}: no file of records (${Object.keys(READERS).join(', ')}).`);
}

async function filesIn(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => !name.startsWith('.') && !NO_RECORDS.includes(name));
  return names.sort().map((name) => join(directory, name));
}

/** @throws RowError if a checkout of Git has no more of the file than where it lies */
async function refusePointer(path: string): Promise<void> {
  if ((await stat(path)).isDirectory()) return;
  const file = await open(path);
  const head = Buffer.alloc(LFS_POINTER.length);
  await file.read(head, 0, head.length, 0).finally(() => file.close());
  if (head.toString() !== LFS_POINTER) return;
  throw new RowError(`${path}: is a pointer of Git LFS and not the file. Run git lfs pull where it was checked out.`);
}
