import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FETCH_RECORD, type FetchRecord } from '../../infra/datasets/fetch-record.js';

const LICENCE_FILE = /^(?:licen[cs]e|copying)\b/i;

/** What is said of a dataset's licence beside its files: by the download, and in files of that name. */
export async function licenceBeside(path: string): Promise<{ stated?: string; files: string[] }> {
  const directory = (await stat(path)).isDirectory() ? path : dirname(path);
  const names = await readdir(directory);
  const stated = names.includes(FETCH_RECORD) ? await statedIn(join(directory, FETCH_RECORD)) : undefined;
  return { ...(stated !== undefined && { stated }), files: names.filter((name) => LICENCE_FILE.test(name)).sort() };
}

/** Undefined if the record cannot be read: it is not what the data is read from. */
async function statedIn(path: string): Promise<string | undefined> {
  try {
    const { licence } = JSON.parse(await readFile(path, 'utf8')) as Partial<FetchRecord>;
    return licence;
  } catch {
    return undefined;
  }
}
