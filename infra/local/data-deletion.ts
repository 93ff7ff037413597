import { lstatSync, readdirSync, readlinkSync, rmdirSync, rmSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { DATA_ENTRIES } from './data-directory.js';
import { countRuns, type RunCounts } from './postgres/count-runs.js';
import { homeEntries } from './postgres/location.js';
import { isRunning } from './process-identity.js';
import { stackPaths } from './stack-options.js';
import { readStackRecord } from './stack-record.js';
import { StackRunning } from './supervision.js';

/** Something that a deletion removes, or would. */
export interface DataEntry {
  path: string;
  bytes: number;
  /** A link goes; what it leads to stays. */
  linkTo?: string;
}

/** What a data directory holds, before it is deleted. */
export interface DataContents {
  entries: DataEntry[];
  /** What is in the directory and not of this program: it stays. */
  foreign: string[];
  /** Directories of training runs among the artifacts. */
  runsWithArtifacts: number;
  /** Of the database; or why it cannot be asked. */
  database: RunCounts | { unknown: string };
}

/**
 * Lists what is AgentFlow's in a data directory, the database outside of it included. The caller holds the directory's
 * supervision.
 * @throws StackRunning when processes of a killed supervisor still run on it
 */
export async function listData(dataDirectory: string): Promise<DataContents> {
  refuseLeftovers(dataDirectory);
  const hasDatabase = namesIn(dataDirectory).some((name) => name.startsWith('postgres'));
  const database = hasDatabase ? await countRuns(dataDirectory) : { unknown: 'there is none here' };
  const names = namesIn(dataDirectory);
  const ours = names.filter(isOurs).map((name) => join(dataDirectory, name));
  return {
    entries: [...ours, ...homeEntries(dataDirectory)].map(describeEntry),
    foreign: names.filter((name) => !isOurs(name)).map((name) => join(dataDirectory, name)),
    runsWithArtifacts: namesIn(join(stackPaths(dataDirectory).artifacts, 'runs')).length,
    database,
  };
}

/** Whether a directory holds anything that the stack has made. */
export function holdsData(dataDirectory: string): boolean {
  return namesIn(dataDirectory).some(isOurs);
}

/**
 * Removes what was listed and nothing else, the notes of where the database lies last: a deletion that is interrupted can
 * be repeated. The directory goes too, if nothing else is in it.
 */
export function deleteData(dataDirectory: string, { entries }: DataContents): void {
  const last = ['postgres-location', 'postgres-identity', 'supervisor.lock'].map((name) => join(dataDirectory, name));
  const paths = entries.map(({ path }) => path);
  for (const path of paths.filter((path) => !last.includes(path))) rmSync(path, { recursive: true, force: true });
  const emptied = paths.filter((path) => !path.startsWith(join(dataDirectory, '/'))).map((path) => join(path, '..'));
  for (const home of new Set(emptied)) removeIfEmpty(home);
  for (const path of last) rmSync(path, { force: true });
  removeIfEmpty(dataDirectory);
}

function refuseLeftovers(dataDirectory: string): void {
  const { children } = readStackRecord(stackPaths(dataDirectory).record);
  const running = Object.entries(children).filter(([, child]) => isRunning(child));
  if (running.length === 0) return;
  throw new StackRunning(
    `A killed supervisor has left processes running on ${dataDirectory}: ` +
      `${running.map(([name, { pid }]) => `${name} (pid ${pid})`).join(', ')}. Stop them with \`npm run down\`.`,
  );
}

/** Also what a killed process was about to rename to one of the names. */
function isOurs(name: string): boolean {
  return DATA_ENTRIES.some((entry) => name === entry || (name.startsWith(`${entry}.`) && name.endsWith('.tmp')));
}

function describeEntry(path: string): DataEntry {
  const stats = lstatSync(path);
  return stats.isSymbolicLink()
    ? { path, bytes: 0, linkTo: readlinkSync(path) }
    : { path, bytes: bytesBelow(path, stats) };
}

function bytesBelow(path: string, stats: Stats): number {
  if (!stats.isDirectory()) return stats.size;
  const below = namesIn(path).map((name) => join(path, name));
  return below.reduce((sum, entry) => {
    const entryStats = lstatSync(entry, { throwIfNoEntry: false });
    return entryStats ? sum + bytesBelow(entry, entryStats) : sum;
  }, 0);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT' && code !== 'EBUSY') throw error;
  }
}
