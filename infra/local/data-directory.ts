import { constants, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataUnusable, shellWord } from './data-unusable.js';
import { stackPaths } from './stack-options.js';
import {
  readStateFile,
  requireAccess,
  requireDataDirectory,
  requireStateDirectory,
  requireStateFile,
} from './state-file.js';
import { requireWholeHistory } from './temporal-database.js';

const DIRECTORIES = ['artifacts', 'logs', 'postgres'];
const SMALL_FILES = [
  ...['api.json', 'stack.json', 'supervisor.lock', 'postgres-location', 'postgres-identity'],
  ...['temporal.db.unfinished', 'temporal.toml'],
];
const FILES = ['temporal.db', 'temporal.db-wal', 'temporal.db-shm'];

/** Everything that the stack makes in a data directory, by name. */
export const DATA_ENTRIES = [...DIRECTORIES, ...SMALL_FILES, ...FILES];

/**
 * Refuses a data directory in which this process could not write, whose parts are not what they should be, or do not
 * belong together. The directory of PostgreSQL is looked at when its server is prepared, because it may belong to another
 * user.
 * @throws DataUnusable
 */
export function requireUsableData(dataDirectory: string): void {
  const { artifacts, logs, log, temporalDatabase } = stackPaths(dataDirectory);
  requireDataDirectory(dataDirectory);
  requireStateDirectory(logs);
  for (const name of SMALL_FILES) readStateFile(join(dataDirectory, name));
  for (const path of [...FILES.map((name) => join(dataDirectory, name)), log('supervisor')]) requireStateFile(path);
  for (const path of ownPaths(dataDirectory)) requireAccess(path, constants.R_OK | constants.W_OK, dataDirectory);
  for (const path of [artifacts, join(artifacts, 'runs')]) requireDirectory(path);
  requireWholeHistory(temporalDatabase);
}

/** What may be left by another user's start: all but PostgreSQL's directory, down to the directories of runs. */
function ownPaths(dataDirectory: string): string[] {
  const { artifacts, logs } = stackPaths(dataDirectory);
  const entries = DATA_ENTRIES.filter((name) => name !== 'postgres').map((name) => join(dataDirectory, name));
  return [dataDirectory, ...entries, ...list(logs), ...list(artifacts), ...list(join(artifacts, 'runs'))];
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch {
    return []; // not there, no directory, or refused by what looks at the directory itself
  }
}

function requireDirectory(path: string): void {
  if (!exists(path)) return;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return;
  const what = stats ? 'is no directory' : 'is a link to something that is not there';
  throw new DataUnusable(
    `${path}, where the artifacts of runs belong, ${what}: mount or restore it, or move it away with ` +
      `\`mv ${shellWord(path)} ${shellWord(`${path}.aside`)}\` to begin without artifacts.`,
  );
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
