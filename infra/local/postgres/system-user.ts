import { execFileSync, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { DataUnusable, userName } from '../data-unusable.js';

/** PostgreSQL refuses to run as root: one of these users runs it then. The second exists on every system. */
const USERS = ['postgres', 'nobody'];
/** Exit code of the programs below: they name a path that the user cannot use. */
const BLOCKED = 3;
/** Enters each directory on the way and names the first that does not let it in. */
const WALK = `for directory in "$@"; do cd "$directory" 2>/dev/null || { printf %s "$directory"; exit ${BLOCKED}; }; done`;
/**
 * Names the first part of a cluster, by PostgreSQL's own names and two levels deep, that cannot be used. It only reads its
 * settings; what else lies there is not its own.
 */
const INSPECT = `
  for part in "$1"/base "$1"/global "$1"/pg_* "$1"/PG_VERSION "$1"/post* "$1"/base/* "$1"/global/* "$1"/pg_*/*; do
    [ -e "$part" ] || continue
    case "$part" in *.conf | */PG_VERSION) [ -r "$part" ] ;; *) [ -r "$part" ] && [ -w "$part" ] ;; esac &&
      { ! [ -d "$part" ] || [ -x "$part" ]; } || { printf %s "$part"; exit ${BLOCKED}; }
  done`;

export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
}

/** The user that runs PostgreSQL for root. */
export function findUser(): SystemUser {
  for (const name of USERS) {
    const [uid, gid] = ['-u', '-g'].map((flag) => idOf(flag, name));
    if (uid !== undefined && gid !== undefined) return { name, uid, gid };
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${USERS.join(' or ')} to run it as.`);
}

/** A user by number, whether it has a name or not. */
export function userById({ uid, gid }: { uid: number; gid: number }): SystemUser {
  return { name: userName(uid) ?? String(uid), uid, gid };
}

/**
 * The first directory on the way to `directory`, itself included, that the user cannot enter; undefined if there is none.
 * @throws DataUnusable when that cannot be found out: it must not be taken for an answer
 */
export function findBlocked(user: SystemUser, directory: string): string | undefined {
  const way = [directory];
  while (dirname(way[0]) !== way[0]) way.unshift(dirname(way[0]));
  return askAs(user, WALK, way, `reaches ${directory}`);
}

/**
 * The first part of a cluster that the user, or this process, cannot read and write; undefined if there is none.
 * @throws DataUnusable when that cannot be found out
 */
export function findUnusable(user: SystemUser | undefined, pgdata: string): string | undefined {
  return askAs(user, INSPECT, [pgdata], `can use ${pgdata}`);
}

function askAs(user: SystemUser | undefined, program: string, paths: string[], what: string): string | undefined {
  const { error, status, signal, stdout } = spawnSync('/bin/sh', ['-c', program, 'sh', ...paths], {
    uid: user?.uid,
    gid: user?.gid,
    cwd: '/',
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (!error && status === 0) return undefined;
  if (!error && status === BLOCKED) return stdout;
  throw new DataUnusable(
    `It cannot be found out whether PostgreSQL's user${user ? ` ${user.name}` : ''} ${what}: a shell run as that user ` +
      `${error ? `did not start (${error.message})` : `ended with ${signal ?? `exit code ${status}`}`}. Nothing was ` +
      'changed. Try again when the machine has processes and memory to spare.',
    { cause: error },
  );
}

function idOf(flag: string, name: string): number | undefined {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch (error) {
    if (typeof (error as { status?: number | null }).status !== 'number') throw error; // no answer, rather than: no such user
    return undefined;
  }
}
