import { closeSync, constants, fstatSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';

const NOTE_BYTES = 256;

/**
 * A lock of the kernel on a file: it is free at the moment its holder ends, however it ends. The file's content decides
 * nothing. Children do not inherit it, because Node opens files to be closed on exec.
 */
export interface KernelLock {
  /** Writes into the file what others may want to know of the holder: at most 256 bytes of ASCII. */
  note(text: string): void;
  /** Blanks the file and gives the lock back. The file stays: two could hold locks on two files of one name. */
  release(): void;
}

/** Takes the lock of a file, which is made if it is not there; undefined while another process, or this one, holds it. */
export function tryKernelLock(path: string): KernelLock | undefined {
  for (;;) {
    const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      if (!lock(file, path, false)) {
        closeSync(file);
        return undefined;
      }
      if (lies(file, path)) return holder(file);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file); // somebody removed the file meanwhile: its lock keeps nobody out
  }
}

/** Whether a process holds the lock. Those that only ask do not see each other. */
export function isKernelLocked(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  try {
    return !lock(file, path, true);
  } finally {
    closeSync(file);
  }
}

function holder(file: number): KernelLock {
  let held = true;
  return {
    note(text) {
      overwrite(file, text);
    },
    release() {
      if (!held) return; // the number may be another file's by now
      held = false;
      overwrite(file, '');
      closeSync(file);
    },
  };
}

/** The file keeps its size: what stops a stack has to be able to lock it on a full disk. */
function overwrite(file: number, text: string): void {
  ftruncateSync(file, NOTE_BYTES);
  writeSync(file, text.padEnd(NOTE_BYTES), 0);
}

function lock(file: number, path: string, shared: boolean): boolean {
  try {
    return tryLock(file, { shared });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      `${path} cannot be locked (${code ?? message}): its file system has no locks. Choose a directory on a local disk.`,
      { cause: error },
    );
  }
}

function lies(file: number, path: string): boolean {
  const there = statSync(path, { throwIfNoEntry: false });
  const ours = fstatSync(file);
  return there?.ino === ours.ino && there.dev === ours.dev;
}
