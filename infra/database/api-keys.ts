import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DataSource } from 'typeorm';
import { KEY_SCOPES, type KeyScope } from '../../contracts/key-scopes.js';
import { parseJson } from '../documents/json-document.js';
import { readTextFile } from '../documents/read-text-file.js';
import { ApiKey, Project } from './entities/index.js';

/** Characters of a key that its row shows: they tell keys apart and leave 220 random bits. */
const SHOWN = 9;

/** What `<data directory>/api.json` holds: how the CLI finds the local API. */
export interface LocalApi {
  url: string;
  key: string;
}

/**
 * The digest that is stored instead of the key. A key is found by it: nothing compares a key with another, so that no
 * time that a comparison takes tells of one. A key is 256 random bits, and needs no slow digest.
 */
export function hashApiKey(key: string): string {
  return createHash('sha256').update(key, 'utf8').digest('hex');
}

/** A key that is about to be stored, and the row that is stored of it. */
export interface NewApiKey {
  key: string;
  row: Pick<ApiKey, 'id' | 'project' | 'name' | 'scopes' | 'prefix' | 'sha256' | 'expiresAt'>;
}

/** What a key is for. */
export interface KeyTerms {
  name: string;
  scopes: readonly KeyScope[];
  /** Null if it does not expire. */
  expiresAt: Date | null;
}

/** Draws a key of 256 random bits. */
export function newApiKey(project: string, { name, scopes, expiresAt }: KeyTerms): NewApiKey {
  const key = `af-${randomBytes(32).toString('base64url')}`;
  const id = `key-${randomBytes(8).toString('hex')}`;
  const row = {
    id,
    project,
    name,
    scopes: [...scopes],
    prefix: key.slice(0, SHOWN),
    sha256: hashApiKey(key),
    expiresAt,
  };
  return { key, row };
}

/** Creates a key of `project`, and the project if it is not there. @returns the key; it cannot be read again later */
export async function createApiKey(
  dataSource: DataSource,
  project: string,
  terms: Partial<KeyTerms> = {},
): Promise<string> {
  const { key, row } = newApiKey(project, { name: 'local', scopes: KEY_SCOPES, expiresAt: null, ...terms });
  await dataSource.transaction(async (manager) => {
    await manager.createQueryBuilder().insert().into(Project).values({ id: project }).orIgnore().execute();
    await manager.insert(ApiKey, row);
  });
  return key;
}

/** Whether a key is accepted at a time, in milliseconds of the epoch. */
export function isAccepted({ expiresAt, revokedAt }: Pick<ApiKey, 'expiresAt' | 'revokedAt'>, now: number): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt.getTime() > now);
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
  const row = await dataSource.getRepository(ApiKey).findOneBy({ sha256: hashApiKey(key) });
  return row !== null && isAccepted(row, Date.now());
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
