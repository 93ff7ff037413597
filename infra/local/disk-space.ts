import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { LocalStackError } from './local-stack-error.js';

const MIB = 1024 * 1024;
/** PostgreSQL writes its log ahead in files of 16 MiB, and stops when it cannot make the next one. */
const FULL_BELOW = 32 * MIB;
const ENOUGH_FROM = 64 * MIB;
/** Files that a disk can still take, where it counts them: PostgreSQL makes several hundred for a database. */
const FULL_BELOW_FILES = 256;
const ENOUGH_FROM_FILES = 1_024;
const ENOUGH = `${ENOUGH_FROM / MIB} MiB and ${ENOUGH_FROM_FILES} files`;
const INTERVAL_MS = 2_000;

/** What a disk can still take. */
export interface Room {
  bytes: number;
  files: number;
}

/** A start was refused: it could not write what it has to. */
class DiskFull extends LocalStackError {
  override readonly name = 'DiskFull';
}

/** @throws DiskFull naming the directory and what to do, if its disk is full */
export function requireRoom(directory: string): void {
  const room = roomOf(directory);
  if (!isFull(room)) return;
  throw new DiskFull(
    `The disk of ${directory} is full (${describeRoom(room)}), and the local stack cannot start on it. ` +
      `Make room for ${ENOUGH}, or name a directory on another disk by AGENTFLOW_DATA; then start it again.`,
  );
}

/** Watches the room on the disks that a stack writes to, and says once that one is full, and once that it is not. */
export class DiskSpace {
  #full: { directory: string; since: string } | undefined;
  readonly #timer: NodeJS.Timeout;

  /** @param say told when the state changes; the message names the directory */
  constructor(
    private readonly directories: () => readonly string[],
    private readonly say: (message: string) => void,
    private readonly room: (directory: string) => Room = roomOf,
  ) {
    this.#timer = setInterval(() => this.look(), INTERVAL_MS);
    this.#timer.unref();
    this.look();
  }

  /** Whether a disk is full: what dies meanwhile is started when it no longer is. */
  get full(): boolean {
    return this.#full !== undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    if (this.#full === undefined) {
      const directory = this.directories().find((candidate) => isFull(this.room(candidate)));
      if (directory === undefined) return;
      this.#full = { directory, since: new Date().toISOString() };
      this.say(fullMessage(directory, this.room(directory)));
    } else if (isRoomy(this.room(this.#full.directory))) {
      // With the time: the log may lie on the same disk, which did not take the first message.
      const { directory, since } = this.#full;
      this.say(`The disk of ${directory}, which was full since ${since}, has space again. All processes continue.`);
      this.#full = undefined;
      this.look();
    }
  }
}

/** Whether a disk has too little room for what the stack writes. */
export function isFull({ bytes, files }: Room): boolean {
  return bytes < FULL_BELOW || files < FULL_BELOW_FILES;
}

function isRoomy({ bytes, files }: Room): boolean {
  return bytes >= ENOUGH_FROM && files >= ENOUGH_FROM_FILES;
}

function fullMessage(directory: string, room: Room): string {
  return (
    `The disk of ${directory} is full (${describeRoom(room)}). Processes that have to write wait. Nothing is ` +
    `lost, and they continue by themselves when there is room for ${ENOUGH}.`
  );
}

/** For a sentence. */
export function describeRoom({ bytes, files }: Room): string {
  const space = `${Math.floor(bytes / MIB)} MiB free`;
  return files < FULL_BELOW_FILES ? `${space}, room for ${files} more files` : space;
}

/** For this user. A directory that cannot be looked at says nothing about its disk. */
export function roomOf(directory: string): Room {
  try {
    const { blocks, bavail, bsize, files, ffree } = statfsSync(nearest(directory));
    // A total of 0 is not counted: btrfs makes room for files as it needs it, and so do some network disks for bytes.
    return {
      bytes: blocks > 0 ? bavail * bsize : Number.POSITIVE_INFINITY,
      files: files > 0 ? ffree : Number.POSITIVE_INFINITY,
    };
  } catch {
    return { bytes: Number.POSITIVE_INFINITY, files: Number.POSITIVE_INFINITY };
  }
}

/** The directory, or what there is of the way to one that is still to be made. */
function nearest(directory: string): string {
  return existsSync(directory) || dirname(directory) === directory ? directory : nearest(dirname(directory));
}
