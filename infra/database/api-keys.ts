import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IsNull, type DataSource } from 'typeorm';
import { parseJson } from '../documents/json-document.js';
import { readTextFile } from '../documents/read-text-file.js';
import { ApiKey } from './entities/api-key.entity.js';

/** What `<data directory>/api.json` holds: how the CLI finds the local API. */
export interface LocalApi {
  url: string;
  key: string;
}

/** The digest that is stored instead of the key. */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/** Creates a key of `project` and returns it; it cannot be read again later. */
export async function createApiKey(dataSource: DataSource, project: string): Promise<string> {
  const key = `af-${randomBytes(32).toString('base64url')}`;
  const id = `key-${randomBytes(8).toString('hex')}`;
  await dataSource.getRepository(ApiKey).insert({ id, project, sha256: hashApiKey(key) });
  return key;
}

/**
 * Makes sure that `file` holds a key of the project `default` that this database knows, and the API's URL.
 * A key that is there and valid stays. The file is replaced as a whole and readable by its owner only.
 */
export async function ensureLocalApiKey(dataSource: DataSource, file: string, url: string): Promise<LocalApi> {
  const stored = await readLocalApi(file);
  const key =
    stored && (await isKnown(dataSource, stored.key)) ? stored.key : await createApiKey(dataSource, 'default');
  const api = { url, key };
  if (stored?.url !== url || stored.key !== key) await writePrivately(file, `${JSON.stringify(api, null, 2)}\n`);
  return api;
}

/** The content of an `api.json`, or undefined if there is none that can be used. */
export async function readLocalApi(file: string): Promise<LocalApi | undefined> {
  let text: string;
  try {
    text = readTextFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return parseLocalApi(text);
}

function parseLocalApi(text: string): LocalApi | undefined {
  try {
    const value = parseJson(text) as Partial<LocalApi> | null;
    return typeof value?.url === 'string' && typeof value.key === 'string' ? (value as LocalApi) : undefined;
  } catch {
    return undefined;
  }
}

async function isKnown(dataSource: DataSource, key: string): Promise<boolean> {
  return dataSource.getRepository(ApiKey).existsBy({ sha256: hashApiKey(key), revokedAt: IsNull() });
}

async function writePrivately(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}
