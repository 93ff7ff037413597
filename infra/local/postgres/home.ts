import { accessSync, chmodSync, chownSync, constants, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataUnusable, describeUser, handOver, remount, shellWord } from '../data-unusable.js';
import type { Cluster } from './cluster-state.js';
import { locateCluster, moveOutside, outsideHome, pgdata, rememberIdentity } from './location.js';
import { nativeMajor, reachableBin } from './native.js';
import { findBlocked, findUnusable, findUser, userById, type SystemUser } from './system-user.js';
import { stackPaths } from '../stack-options.js';

/** Where a new cluster goes when PostgreSQL's user cannot reach the data directory (a checkout under /root). */
const REACHABLE_PARENT = '/var/lib/agentflow';

/** Where a private PostgreSQL keeps its things. */
export interface PostgresHome {
  /** Holds `data` (PGDATA) and `password`. */
  directory: string;
  /** Holds the executables. */
  bin: string;
  /** Set when this process is root. */
  user?: SystemUser;
  /** The cluster that is there; undefined where it is still to be made. */
  cluster?: Cluster;
  dataDirectory: string;
}

/** What lies in a home beside the cluster: the password of its superuser. */
export function passwordFile({ directory }: { directory: string }): string {
  return join(directory, 'password');
}

/**
 * Finds the home of a data directory's PostgreSQL, or makes one: `<data directory>/postgres`, or a directory below
 * `parent` if PostgreSQL's user, who is another than root, cannot reach that. A cluster that is there is used where it is.
 * @param notice told when it is not the first
 * @throws DataUnusable naming the command that makes a cluster usable
 */
export function preparePostgresHome(
  dataDirectory: string,
  notice: (message: string) => void,
  parent = REACHABLE_PARENT,
): PostgresHome {
  const location = locateCluster(dataDirectory, parent, notice);
  if (location?.cluster) return openHome(dataDirectory, location.directory, location.cluster);
  const user = isRoot() ? findUser() : undefined;
  const directory = location?.directory ?? chooseDirectory(dataDirectory, user, parent, notice);
  makeDirectory(directory, user);
  return { directory, bin: reachableBin(directory, user), user, dataDirectory };
}

function openHome(dataDirectory: string, directory: string, cluster: Cluster): PostgresHome {
  requireMajor(directory, cluster);
  const user = userOf(directory, cluster);
  requireMode(directory, cluster);
  if (user) requireReach(user, pgdata({ directory }), dataDirectory);
  requireParts(directory, user);
  const bin = reachableBin(directory, user);
  requirePassword(directory, bin, user);
  rememberIdentity(dataDirectory, cluster);
  return { directory, bin, user, cluster, dataDirectory };
}

/** The owner of the cluster runs it, also for root: PostgreSQL accepts nobody else. */
function userOf(directory: string, { owner }: Cluster): SystemUser | undefined {
  const me = process.geteuid?.() ?? -1;
  if (me !== 0 && owner.uid === me) return undefined;
  if (me === 0 && owner.uid !== 0) return userById(owner);
  const next = me === 0 ? findUser().uid : me;
  const why = me === 0 ? 'as which PostgreSQL does not run' : `and this is ${describeUser(me)}`;
  throw new DataUnusable(
    `The database in ${pgdata({ directory })} belongs to ${describeUser(owner.uid)}, ${why}. Start the stack as before, ` +
      `or hand it over while nothing of the stack runs: ${handOver(next, [directory])}`,
  );
}

function requireMajor(directory: string, { major }: Cluster): void {
  const ours = nativeMajor();
  if (major === ours) return;
  throw new DataUnusable(
    `The database in ${pgdata({ directory })} was made by PostgreSQL ${major}, and this version of AgentFlow brings ` +
      `PostgreSQL ${ours}, which cannot read it. Run it with the version that made it (\`git log -- package-lock.json\` ` +
      `finds it), or bring a copy of it up to date with pg_upgrade (https://www.postgresql.org/docs/${ours}/pgupgrade.html).`,
  );
}

/** As PostgreSQL: it refuses a cluster that others may read. Copies often are so. */
function requireMode(directory: string, { mode }: Cluster): void {
  if ((mode & 0o027) === 0 && (mode & 0o700) === 0o700) return;
  throw new DataUnusable(
    `The database in ${pgdata({ directory })} has mode ${mode.toString(8)}, with which PostgreSQL refuses it: ` +
      `chmod 700 ${shellWord(pgdata({ directory }))}`,
  );
}

function requireReach(user: SystemUser, path: string, dataDirectory: string): void {
  const blocked = blockedBeyond(user, path, dataDirectory);
  if (blocked === undefined) return;
  const stats = statSync(blocked);
  const who = stats.uid === user.uid ? 'u' : 'o';
  throw new DataUnusable(
    `PostgreSQL's user ${user.name} cannot enter ${blocked} (mode ${(stats.mode & 0o7777).toString(8)}, owner ` +
      `${describeUser(stats.uid)}), on the way to the database in ${path}. Let it pass: chmod ${who}+x ${shellWord(blocked)}`,
  );
}

/** Its server tries for minutes, and says on every try that it may not, what is refused here. */
function requireParts(directory: string, user: SystemUser | undefined): void {
  const path = pgdata({ directory });
  const unusable = findUnusable(user, path);
  if (unusable === undefined) return;
  const { uid, mode } = statSync(unusable);
  const reader = user?.uid ?? process.geteuid?.() ?? -1;
  const real = realpathSync(unusable);
  const places = real.startsWith(`${realpathSync(path)}/`) ? [path] : [path, real]; // a part may lie on another disk
  const command = isReadOnly(real)
    ? `Its file system is mounted read-only. Remount it: ${remount(real)}`
    : `While nothing of the stack runs, make it usable with: ${handOver(reader, places)}`;
  throw new DataUnusable(
    `${unusable}, a part of the database in ${path}, belongs to ${describeUser(uid)}, mode ${(mode & 0o7777).toString(8)}, and ` +
      `PostgreSQL's user ${describeUser(reader)} cannot use it. ${command}`,
  );
}

function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

function requirePassword(directory: string, bin: string, user: SystemUser | undefined): void {
  const file = passwordFile({ directory });
  if (existsSync(file)) return;
  const as = user ? `setpriv --reuid=${user.uid} --regid=${user.gid} --clear-groups ` : '';
  throw new DataUnusable(
    `The password of the database in ${pgdata({ directory })} is lost: ${file} is not there. Set a new one: ` +
      `p=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \\n') && cd / && echo "ALTER ROLE agentflow PASSWORD '$p'" | ` +
      `${as}${shellWord(join(bin, 'postgres'))} --single -D ${shellWord(pgdata({ directory }))} postgres && ` +
      `(umask 077; echo $p > ${shellWord(file)})`,
  );
}

function chooseDirectory(
  dataDirectory: string,
  user: SystemUser | undefined,
  parent: string,
  notice: (message: string) => void,
): string {
  const inside = stackPaths(dataDirectory).postgres;
  if (!user || blockedBeyond(user, dataDirectory, dataDirectory) === undefined) return inside;
  const outside = outsideHome(dataDirectory, parent);
  makeDirectory(outside, user);
  requireReach(user, outside, dataDirectory);
  moveOutside(dataDirectory, outside);
  notice(`PostgreSQL's user ${user.name} cannot reach ${dataDirectory}: its data lies in ${outside}.`);
  return outside;
}

/** What keeps the user from a path, after it was let through the data directory, which is ours. */
function blockedBeyond(user: SystemUser, path: string, dataDirectory: string): string | undefined {
  const blocked = findBlocked(user, path);
  if (blocked !== dataDirectory) return blocked;
  chmodSync(dataDirectory, (statSync(dataDirectory).mode & 0o7777) | 0o011);
  return findBlocked(user, path);
}

function makeDirectory(directory: string, user: SystemUser | undefined): void {
  const made = mkdirSync(join(directory, '..'), { recursive: true });
  if (made !== undefined) chmodSync(join(directory, '..'), 0o711); // whatever the umask is
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (user) chownSync(directory, user.uid, user.gid);
}

function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
