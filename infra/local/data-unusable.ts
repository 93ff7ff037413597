import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LocalStackError } from './local-stack-error.js';

/**
 * Data of the user's that is there cannot be used as it is. Nothing was changed; the message says what is wrong, where,
 * and the command that makes it usable (I13).
 */
export class DataUnusable extends LocalStackError {
  override readonly name = 'DataUnusable';
}

/** A user by name and number, for a message. */
export function describeUser(uid: number): string {
  const name = userName(uid);
  return name ? `${name} (uid ${uid})` : `uid ${uid}`;
}

/** What `chown` takes. */
export function userName(uid: number): string | undefined {
  try {
    return execFileSync('id', ['-nu', String(uid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** A path as one word of a shell's command line. */
export function shellWord(path: string): string {
  return /^[\w./:@%+=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** A command that takes root, as the end of a message: by sudo, if there is one. */
function asRoot(command: string): string {
  if (process.geteuid?.() === 0) return command;
  return hasSudo() ? command.replaceAll(/(^|&& )/g, '$1sudo ') : `${command} # as root`;
}

function hasSudo(): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => isProgram(join(directory, 'sudo')));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The commands that give a user what lies below some paths, whoever has it and whatever its modes are. */
export function handOver(uid: number, paths: readonly string[]): string {
  const words = paths.map(shellWord).join(' ');
  return asRoot(`chown -R ${userName(uid) ?? uid} ${words} && chmod -R u+rwX ${words}`);
}

/** The command that makes the file system of a path writable. */
export function remount(path: string): string {
  return asRoot(`mount -o remount,rw ${shellWord(mountPoint(path))}`);
}

/** As `df` finds it: two mounts can have one device. */
function mountPoint(path: string): string {
  const line = execFileSync('df', ['-P', path], { encoding: 'utf8' }).trimEnd().split('\n')[1];
  return line.replace(/^.*\s\d+%\s+/, '');
}

/** The command that takes something out of the way, as the end of a message. */
export function moveAside(path: string): string {
  return `Move it away: mv ${shellWord(path)} ${shellWord(`${path}.aside`)}`;
}
