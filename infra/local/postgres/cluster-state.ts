import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataUnusable, describeUser, handOver } from '../data-unusable.js';

/** A database cluster, as its files tell. */
export interface Cluster {
  owner: { uid: number; gid: number };
  mode: number;
  /** Major version of the PostgreSQL that made it. */
  major: string;
  /** Given by initdb, kept by copies: no two other clusters have the same. */
  systemIdentifier: string;
  /** When its server last wrote its control file. */
  lastUsed: Date;
}

/** Something lies where a cluster should, and is none. */
export interface NoCluster {
  missing: string;
}

/** What lies at a path of PGDATA; undefined where there is nothing, or an empty directory. @throws DataUnusable */
export function readCluster(pgdata: string): Cluster | NoCluster | undefined {
  try {
    return inspect(pgdata);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENAMETOOLONG' || code === 'ELOOP') return undefined; // leads nowhere
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new DataUnusable(unreadable(pgdata), { cause: error });
  }
}

/** The two kinds of what `readCluster` finds. */
export function isCluster(found: Cluster | NoCluster | undefined): found is Cluster {
  return found !== undefined && 'systemIdentifier' in found;
}

function inspect(pgdata: string): Cluster | NoCluster | undefined {
  const stats = statSync(pgdata, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (!stats.isDirectory()) return { missing: 'a directory' };
  if (readdirSync(pgdata).length === 0) return undefined;
  const control = join(pgdata, 'global/pg_control');
  const major = readText(join(pgdata, 'PG_VERSION'));
  const systemIdentifier = readSystemIdentifier(control);
  if (!major) return { missing: 'PG_VERSION' };
  if (!systemIdentifier) return { missing: 'global/pg_control' };
  return {
    owner: { uid: stats.uid, gid: stats.gid },
    mode: stats.mode & 0o777,
    major,
    systemIdentifier,
    lastUsed: statSync(control).mtime,
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The first field of the control file: 64 bits in the machine's order, which is little-endian on all that are supported. */
function readSystemIdentifier(control: string): string | undefined {
  const field = Buffer.alloc(8);
  let file: number;
  try {
    file = openSync(control, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const identifier = readSync(file, field) === field.length ? field.readBigUInt64LE() : 0n;
    return identifier === 0n ? undefined : identifier.toString();
  } finally {
    closeSync(file);
  }
}

function unreadable(pgdata: string): string {
  const me = process.geteuid?.() ?? -1;
  const home = join(pgdata, '..');
  const owner = statSync(home, { throwIfNoEntry: false })?.uid;
  return (
    `The database in ${pgdata}${owner === undefined ? '' : ` belongs to ${describeUser(owner)} and`} cannot be read by ` +
    `${describeUser(me)}. Start the stack as the user that started it before, or, while nothing of it runs, take it over: ` +
    handOver(me, [home])
  );
}
