import { copyFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const FILE_BYTES = 16 * 1024 * 1024;
/** Older files of each log that are kept. */
const FILES_KEPT = 4;
const INTERVAL_MS = 10_000;

/**
 * Keeps each log of a directory to a bounded size: a file that has grown too long is copied to `<name>.1` and emptied,
 * as logrotate's `copytruncate` does. The processes keep their file descriptors: PostgreSQL and Temporal cannot be told
 * to open another, and a crash writes to the one that is there. All of them append, so they go on at the beginning of
 * the emptied file. A line that is written between the copy and the emptying is lost.
 */
export class LogRotation {
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly directory: string) {
    this.#timer = setInterval(() => this.rotate(), INTERVAL_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Rotates what has grown too long. A log that cannot be rotated (a full disk) is left as it is until the next time. */
  rotate(fileBytes = FILE_BYTES): void {
    for (const name of this.#logs()) rotateFile(join(this.directory, name), fileBytes);
  }

  #logs(): string[] {
    try {
      return readdirSync(this.directory).filter((name) => name.endsWith('.log'));
    } catch {
      return [];
    }
  }
}

function rotateFile(path: string, fileBytes: number): void {
  const copy = `${path}.new`;
  try {
    if (statSync(path).size <= fileBytes) return;
    copyFileSync(path, copy);
    for (let number = FILES_KEPT - 1; number > 0; number -= 1)
      moveIfThere(`${path}.${number}`, `${path}.${number + 1}`);
    renameSync(copy, `${path}.1`);
    truncateSync(path);
  } catch {
    removeIfPossible(copy);
  }
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A disk that takes no change now: the next rotation writes over it.
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
