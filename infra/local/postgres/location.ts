import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { DataUnusable, shellWord } from '../data-unusable.js';
import { stackPaths } from '../stack-options.js';
import { readStateFile } from '../state-file.js';
import { isCluster, readCluster, type Cluster, type NoCluster } from './cluster-state.js';

/** In a home outside of the data directory: the data directory that it belongs to. */
const OWNER = 'data-directory';
/** Of Linux. Elsewhere paths are shorter. */
const LONGEST_PATH = 4_096;

/** The directory that a data directory keeps its PostgreSQL in, with what is there. */
export interface Location {
  /** Holds `data` (PGDATA) and `password`. */
  directory: string;
  /** Undefined where a first start was interrupted before it had made one. */
  cluster?: Cluster;
}

/** PGDATA of a home. */
export function pgdata(home: Pick<Location, 'directory'>): string {
  return join(home.directory, 'data');
}

/** Where `initdb` works: a cluster appears under its name whole or not at all. */
export function unfinishedPgdata(home: Pick<Location, 'directory'>): string {
  return `${pgdata(home)}.new`;
}

/** The directory below `parent` for a data directory whose own PostgreSQL's user cannot reach. */
export function outsideHome(dataDirectory: string, parent: string): string {
  return join(parent, createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16));
}

/**
 * Finds the cluster of a data directory: inside it, where `postgres-location` says, or below `parent` when that file was
 * lost. It decides from what is there and removes nothing (I13).
 * @returns undefined where there never was one
 * @throws DataUnusable where there is one that is not plainly this directory's, or was one
 */
export function locateCluster(
  dataDirectory: string,
  parent: string,
  notice: (message: string) => void,
): Location | undefined {
  const { postgres: inside, postgresLocation, postgresIdentity } = stackPaths(dataDirectory);
  const identity = readLine(postgresIdentity);
  const named = readLine(postgresLocation); // nothing after a power cut: as if the file were lost
  const here = look(inside, identity);
  if (named !== undefined && !isDirectoryName(named)) {
    const found = here ? [here] : lostHomes(dataDirectory, parent, identity);
    throw new DataUnusable(namesNoDirectory(dataDirectory, named, found, identity));
  }
  if (named === undefined) {
    const found = here ?? findLost(dataDirectory, parent, identity, notice);
    if (!found && identity !== undefined) throw new DataUnusable(clusterGone(inside, postgresIdentity));
    return found;
  }
  const there = look(named, identity);
  if (here && there) throw new DataUnusable(twoClusters(here, there, postgresLocation));
  if (there) return ownedBy(dataDirectory, there, notice);
  if (here) throw new DataUnusable(namesNothing(postgresLocation, named, `the database in ${inside}`));
  if (identity === undefined && owner(named) === dataDirectory) return { directory: named };
  const lost = lostHomes(dataDirectory, parent, identity);
  if (lost.length > 0) throw new DataUnusable(namesAnother(dataDirectory, named, lost));
  throw new DataUnusable(namesNothing(postgresLocation, named, 'an empty database'));
}

/** Notes that a home outside of the data directory is used by it. The home's side first: a name without it is refused. */
export function moveOutside(dataDirectory: string, home: string): void {
  replaceFile(join(home, OWNER), dataDirectory);
  replaceFile(stackPaths(dataDirectory).postgresLocation, home);
}

/** Notes which cluster belongs to a data directory. */
export function rememberIdentity(dataDirectory: string, { systemIdentifier }: Cluster): void {
  const { postgresIdentity } = stackPaths(dataDirectory);
  if (readLine(postgresIdentity) !== systemIdentifier) replaceFile(postgresIdentity, systemIdentifier);
}

/** What of a home outside of the data directory is this directory's: nothing, if the home belongs to another. */
export function homeEntries(dataDirectory: string): string[] {
  const home = readLine(stackPaths(dataDirectory).postgresLocation);
  if (home === undefined || !isDirectoryName(home) || !existsSync(home)) return [];
  const unmarked = owner(home) === undefined && outsideHome(dataDirectory, dirname(home)) === home;
  if (!unmarked && owner(home) !== dataDirectory) return [];
  return readdirSync(home)
    .filter((name) => /^(data|data\.new.*|password|native-.*|data-directory)$/.test(name))
    .map((name) => join(home, name));
}

type Found = Location & { cluster: Cluster };

/** The cluster of a home, checked to be whole and to be this data directory's; undefined where there is nothing. */
function look(directory: string, identity: string | undefined): Found | undefined {
  const path = pgdata({ directory });
  finish({ directory }, identity);
  const cluster = whole(readCluster(path), path);
  if (!cluster) return undefined;
  if (identity === undefined || cluster.systemIdentifier === identity) return { directory, cluster };
  throw new DataUnusable(
    `${path} holds another database than the one that belongs to this data directory (system identifier ` +
      `${cluster.systemIdentifier}, not ${identity}): put the right one back, or, to use this one from now on, ` +
      `remove the file postgres-identity from the data directory.`,
  );
}

/** A cluster that was made, remembered, and not yet given its name when the start was killed. */
function finish(home: Pick<Location, 'directory'>, identity: string | undefined): void {
  if (identity === undefined || readCluster(pgdata(home))) return;
  const made = readCluster(unfinishedPgdata(home));
  if (isCluster(made) && made.systemIdentifier === identity) renameSync(unfinishedPgdata(home), pgdata(home));
}

function whole(found: Cluster | NoCluster | undefined, path: string): Cluster | undefined {
  if (!found || isCluster(found)) return found;
  throw new DataUnusable(
    `${path} is no whole PostgreSQL database (${found.missing} is missing) and was not made so by this program: restore ` +
      `it, or move it away with \`mv ${shellWord(path)} ${shellWord(`${path}.aside`)}\` to begin with an empty one.`,
  );
}

/** A home below `parent` that belongs to the data directory, although the directory does not name it. */
function findLost(
  dataDirectory: string,
  parent: string,
  identity: string | undefined,
  notice: (message: string) => void,
): Found | undefined {
  const [lost] = claimedHomes(dataDirectory, parent);
  if (!lost) return undefined;
  const { directory, cluster } = lost;
  const { postgresLocation } = stackPaths(dataDirectory);
  if (identity !== cluster.systemIdentifier && !hasRuns(dataDirectory)) {
    throw new DataUnusable(earlierDirectory(dataDirectory, directory, postgresLocation));
  }
  moveOutside(dataDirectory, directory);
  notice(`${postgresLocation} was lost. The database in ${directory} belongs to this data directory and is used.`);
  return look(directory, identity);
}

/** The homes below `parent` with the data directory's own cluster, as far as its identity is known. */
function lostHomes(dataDirectory: string, parent: string, identity: string | undefined): Found[] {
  return claimedHomes(dataDirectory, parent).filter(
    ({ cluster }) => identity === undefined || cluster.systemIdentifier === identity,
  );
}

/** The homes below `parent` with a cluster that say they belong to the data directory, or go by its path. */
function claimedHomes(dataDirectory: string, parent: string): Found[] {
  const byPath = outsideHome(dataDirectory, parent);
  return directoriesIn(parent, byPath).flatMap((directory) => {
    const claimed = directory === byPath || owner(directory) === dataDirectory;
    const cluster = claimed ? readCluster(pgdata({ directory })) : undefined;
    return isCluster(cluster) ? [{ directory, cluster }] : [];
  });
}

/** Those that this user may list, and at least the one that goes by the data directory's path. */
function directoriesIn(parent: string, byPath: string): string[] {
  const names = existsSync(parent) && process.geteuid?.() === 0 ? readdirSync(parent) : [];
  return [...new Set([byPath, ...names.map((name) => join(parent, name))])];
}

/** Whether the data directory has been used: then a database belongs to it. */
function hasRuns(dataDirectory: string): boolean {
  const { artifacts, temporalDatabase } = stackPaths(dataDirectory);
  return existsSync(join(artifacts, 'runs')) || (statSync(temporalDatabase, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** A home outside serves one data directory: that follows it when it moves, and a copy of it needs another. */
function ownedBy(dataDirectory: string, found: Found, notice: (message: string) => void): Found {
  const other = owner(found.directory);
  if (other === dataDirectory) return found;
  if (other !== undefined && readLine(stackPaths(other).postgresLocation) === found.directory) {
    throw new DataUnusable(
      `The database in ${found.directory} belongs to the data directory ${other}, of which ${dataDirectory} seems to be a ` +
        'copy. With both stacks stopped, give the copy a database of its own: ' +
        `cp -a ${shellWord(found.directory)} ${shellWord(`${found.directory}-copy`)} && ` +
        `echo ${shellWord(dataDirectory)} > ${shellWord(join(`${found.directory}-copy`, OWNER))} && ` +
        `echo ${shellWord(`${found.directory}-copy`)} > ${shellWord(stackPaths(dataDirectory).postgresLocation)}`,
    );
  }
  if (other !== undefined)
    notice(`The data directory was ${other} before: its database is still in ${found.directory}.`);
  replaceFile(join(found.directory, OWNER), dataDirectory);
  return found;
}

function owner(home: string): string | undefined {
  const file = join(home, OWNER);
  return existsSync(file) ? readLine(file) : undefined; // what is named from outside may lead through anything
}

/** Whether a line can be the name of a directory. */
function isDirectoryName(line: string): boolean {
  return isAbsolute(line) && line.length < LONGEST_PATH && !line.includes('\0');
}

/** The first line of a file; undefined where there is none, or no file. */
function readLine(path: string): string | undefined {
  return readStateFile(path)?.split('\n')[0].trim() || undefined;
}

/** A reader sees the old line or the new one. */
function replaceFile(path: string, line: string): void {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  writeFileSync(temporary, `${line}\n`, { mode: 0o600, flush: true });
  renameSync(temporary, path);
}

function clusterGone(inside: string, postgresIdentity: string): string {
  return (
    `The database that belongs to this data directory is gone: there is none in ${inside}. Put it back (a disk that is ` +
    `not mounted?), or, to begin with an empty one, rm ${shellWord(postgresIdentity)}`
  );
}

function namesNoDirectory(
  dataDirectory: string,
  line: string,
  found: readonly Found[],
  identity: string | undefined,
): string {
  const { postgresLocation, postgresIdentity } = stackPaths(dataDirectory);
  const wrong = `${postgresLocation} holds no absolute path, but ${JSON.stringify(line.slice(0, 60))}.`;
  if (found.length > 0) return `${wrong} ${choices(dataDirectory, found)}`;
  const files = identity === undefined ? [postgresLocation] : [postgresLocation, postgresIdentity];
  const directory = shellWord(postgresLocation);
  return (
    `${wrong} No database of this data directory was found. Write the directory that holds it into the file, as in ` +
    `\`echo /mnt/disk/agentflow > ${directory}\`, or, to begin with an empty one, rm ${files.map(shellWord).join(' ')}`
  );
}

function namesAnother(dataDirectory: string, named: string, found: readonly Found[]): string {
  const { postgresLocation } = stackPaths(dataDirectory);
  return `${postgresLocation} names ${named}, which ${stateOf(named)}. ${choices(dataDirectory, found)}`;
}

/** The command that makes each of some clusters the data directory's. */
function choices(dataDirectory: string, found: readonly Found[]): string {
  const { postgres: inside, postgresLocation } = stackPaths(dataDirectory);
  const file = shellWord(postgresLocation);
  const commands = found.map(({ directory, cluster }) => {
    const command = directory === inside ? `rm ${file}` : `echo ${shellWord(directory)} > ${file}`;
    return `to go on with the database in ${directory} (last used ${cluster.lastUsed.toISOString()}), ${command}`;
  });
  return `Found: ${commands.join('; ')}`;
}

function namesNothing(postgresLocation: string, named: string, otherwise: string): string {
  return (
    `${postgresLocation} names ${named}, which ${stateOf(named)}. Put it back (a disk that is not mounted?), or, to go on with ` +
    `${otherwise}, rm ${shellWord(postgresLocation)}${otherwise.startsWith('an') ? identityToo(postgresLocation) : ''}`
  );
}

function stateOf(named: string): string {
  return existsSync(named) ? 'holds no database' : 'is not there';
}

function identityToo(postgresLocation: string): string {
  return ` ${shellWord(postgresLocation.replace(/location$/, 'identity'))}`;
}

function twoClusters(here: Found, there: Found, postgresLocation: string): string {
  const describe = ({ directory, cluster }: Found) => `${directory} (last used ${cluster.lastUsed.toISOString()})`;
  return (
    `This data directory has two databases, ${describe(here)} and ${describe(there)}, and only you know which one counts: ` +
    `for the first, rm ${shellWord(postgresLocation)}; for the second, ` +
    `mv ${shellWord(here.directory)} ${shellWord(`${here.directory}.aside`)}`
  );
}

function earlierDirectory(dataDirectory: string, directory: string, postgresLocation: string): string {
  return (
    `${directory} holds the database of an earlier data directory ${dataDirectory}, which was removed without it. To go on ` +
    `with it, echo ${shellWord(directory)} > ${shellWord(postgresLocation)}; to begin with an empty one, ` +
    `mv ${shellWord(directory)} ${shellWord(`${directory}.aside`)}`
  );
}
