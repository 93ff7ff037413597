import { constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isKernelLocked, tryKernelLock, type KernelLock } from './kernel-lock.js';
import { identifySelf, isRunning, type ProcessIdentity } from './process-identity.js';
import { readStateFile, requireAccess, requireDataDirectory } from './state-file.js';
import { LocalStackError } from './local-stack-error.js';

/** How long a holder may take to write down who it is, and others to look at a lock. Microseconds, on a machine at rest. */
const PATIENCE_MS = 2_000;
const POLL_MS = 20;

/** Another live supervisor owns the data directory. */
export class StackRunning extends LocalStackError {
  override readonly name = 'StackRunning';
}

/** What the holder writes into the lock file, for others to read. The lock itself is the kernel's. */
interface Note extends ProcessIdentity {
  /** Absent in what versions wrote for which the content was the lock: theirs counts while that process runs. */
  kernelLock?: boolean;
}

/**
 * The live supervisor of a data directory, if there is one.
 * @throws DataUnusable; StackRunning when a process holds the lock that the lock file does not name
 */
export function findSupervisor(dataDirectory: string): ProcessIdentity | undefined {
  const lock = lockPath(dataDirectory);
  for (const deadline = Date.now() + PATIENCE_MS; ; pause()) {
    const holder = runningHolder(lock);
    if (holder && !holder.kernelLock) return holder;
    if (!isKernelLocked(lock)) return undefined;
    if (holder) return holder;
    if (Date.now() > deadline) throw new StackRunning(unnamedHolder(dataDirectory));
  }
}

/**
 * Makes this process the one supervisor of a data directory, until `release` is called or the process ends.
 * @throws StackRunning, DataUnusable
 */
export function claimSupervision(dataDirectory: string): { release(): void } {
  requireDataDirectory(dataDirectory);
  mkdirSync(dataDirectory, { recursive: true, mode: 0o711 });
  requireAccess(dataDirectory, constants.R_OK | constants.W_OK, dataDirectory);
  const lock = lockPath(dataDirectory);
  for (const deadline = Date.now() + PATIENCE_MS; ; pause()) {
    const holder = runningHolder(lock);
    const held = holder && !holder.kernelLock ? undefined : tryKernelLock(lock);
    if (held) return introduce(held);
    if (holder) throw new StackRunning(runsAlready(dataDirectory, holder));
    // Somebody only looked at the lock, or has it and has not written down who it is.
    if (Date.now() > deadline) throw new StackRunning(unnamedHolder(dataDirectory));
  }
}

function introduce(held: KernelLock): KernelLock {
  const note: Note = { ...identifySelf(), kernelLock: true };
  try {
    held.note(JSON.stringify(note));
  } catch (error) {
    held.release();
    throw error;
  }
  return held;
}

/** The running process that the lock file names. What is no such name is as good as nothing. */
function runningHolder(lock: string): Note | undefined {
  const text = readStateFile(lock) ?? '';
  try {
    const note = JSON.parse(text) as Partial<Note> | null;
    const named = typeof note?.pid === 'number' && typeof note.startTime === 'string';
    return named && isRunning(note as Note) ? (note as Note) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function runsAlready(dataDirectory: string, { pid }: ProcessIdentity): string {
  return (
    `The local stack of ${dataDirectory} runs already, under process ${pid}. ` +
    'Stop it with `npm run down`, or choose another directory with AGENTFLOW_DATA.'
  );
}

function unnamedHolder(dataDirectory: string): string {
  const lock = lockPath(dataDirectory);
  return `A process that is not named in ${lock} holds the lock of the local stack: \`fuser ${lock}\` says which. Stop it.`;
}

/** Synchronous, because a claim is: what follows it must not begin before. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
}

function lockPath(dataDirectory: string): string {
  return join(dataDirectory, 'supervisor.lock');
}
