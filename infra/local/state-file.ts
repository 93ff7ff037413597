import { accessSync, constants, lstatSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { readTextFile } from '../documents/read-text-file.js';
import { DataUnusable, describeUser, handOver, moveAside, remount, shellWord } from './data-unusable.js';

/**
 * The text of a small file that the stack keeps in a data directory; undefined if there is none.
 * @throws DataUnusable if something else has its name, or this user cannot read it
 */
export function readStateFile(path: string): string | undefined {
  if (!requireStateFile(path)) return undefined;
  try {
    return readTextFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new DataUnusable(
      `${path} is not what the local stack wrote: ${(error as Error).message}. ${moveAside(path)}`,
      { cause: error },
    );
  }
}

/** @returns whether there is such a file @throws DataUnusable if something else has its name, or this user cannot read it */
export function requireStateFile(path: string): boolean {
  const stats = statOf(path);
  if (!stats) {
    refuseDeadLink(path);
    return false;
  }
  if (!stats.isFile()) {
    throw new DataUnusable(
      `${path} is ${describeKind(stats)}, and the local stack keeps a file there. ${moveAside(path)}`,
    );
  }
  requireAccess(path, constants.R_OK);
  return true;
}

/**
 * @param remedy what to do about something else, as a sentence
 * @throws DataUnusable if something else has the name of a directory of the stack's
 */
export function requireStateDirectory(path: string, remedy = moveAside(path)): void {
  const stats = statOf(path);
  if (!stats) refuseDeadLink(path);
  if (!stats || stats.isDirectory()) return;
  throw new DataUnusable(`${path} is ${describeKind(stats)}, and the local stack keeps a directory there. ${remedy}`);
}

/** @throws DataUnusable if the data directory is none: whatever it is, it is the user's */
export function requireDataDirectory(path: string): void {
  requireStateDirectory(path, 'Choose another one with AGENTFLOW_DATA.');
}

/**
 * @param wanted as `access` takes it; a directory must also let this user pass
 * @throws DataUnusable with the command that lets this user in; nothing happens if the path leads nowhere
 */
export function requireAccess(path: string, wanted: number, dataDirectory = dirname(path)): void {
  const stats = statOf(path);
  if (!stats) return;
  try {
    accessSync(path, wanted | (stats.isDirectory() ? constants.X_OK : 0));
  } catch (error) {
    throw new DataUnusable(explainAccess(error as NodeJS.ErrnoException, path, stats, dataDirectory), { cause: error });
  }
}

/** What a path leads to; undefined if that is nothing. @throws DataUnusable if this user cannot look there */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') requireDataDirectory(dirname(path));
    if (code === 'ELOOP') statOf(dirname(path)); // the link that leads to itself may be on the way
    if (code === 'EACCES' && dirname(path) !== path) requireAccess(dirname(path), constants.X_OK);
    const remedy = code === 'ELOOP' ? moveAside(path) : 'Choose another data directory with AGENTFLOW_DATA.';
    throw new DataUnusable(`${path} cannot be looked at: ${message}. ${remedy}`, { cause: error });
  }
}

/** @throws DataUnusable if a link to nothing is on the way to what is not there: it could not be made */
function refuseDeadLink(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats && dirname(path) !== path) refuseDeadLink(dirname(path));
  if (!stats?.isSymbolicLink() || statOf(path)) return;
  throw new DataUnusable(
    `${path} is a link to something that is not there, ${readlinkSync(path)}: mount or restore that, or do without it. ` +
      moveAside(path),
  );
}

function explainAccess({ code }: NodeJS.ErrnoException, path: string, stats: Stats, dataDirectory: string): string {
  if (code === 'EROFS') {
    return `${path} is on a file system that is mounted read-only. Remount it: ${remount(path)}`;
  }
  const uid = process.geteuid?.() ?? -1;
  const command = stats.uid === uid ? `chmod -R u+rwX ${shellWord(path)}` : handOver(uid, [dataDirectory]);
  return (
    `${path} belongs to ${describeUser(stats.uid)}, mode ${mode(stats)}, and ${describeUser(uid)} cannot use it. ` +
    `While nothing of the stack runs, make it usable with: ${command}`
  );
}

function describeKind(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return stats.isFile() ? 'a file' : 'a device';
}

/** As `chmod` takes it. */
function mode(stats: Stats): string {
  return (stats.mode & 0o7777).toString(8);
}
