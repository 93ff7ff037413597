import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifySelf, isRunning, type ProcessIdentity } from './process-identity.js';

/** Another live supervisor owns the data directory. */
export class StackRunning extends Error {
  override readonly name = 'StackRunning';
}

/** The live supervisor of a data directory, if there is one. */
export function findSupervisor(dataDirectory: string): ProcessIdentity | undefined {
  const holder = readHolder(lockPath(dataDirectory));
  return holder && isRunning(holder) ? holder : undefined;
}

/**
 * Makes this process the one supervisor of a data directory, until `release` is called or the process ends.
 * @throws StackRunning
 */
export function claimSupervision(dataDirectory: string): { release(): void } {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o711 });
  const lock = lockPath(dataDirectory);
  while (!tryLink(lock)) {
    const holder = findSupervisor(dataDirectory);
    if (holder) {
      throw new StackRunning(
        `The local stack of ${dataDirectory} runs already, under process ${holder.pid}. ` +
          'Stop it with `npm run down`, or choose another directory with AGENTFLOW_DATA.',
      );
    }
    rmSync(lock, { force: true });
  }
  return { release: () => rmSync(lock, { force: true }) };
}

/** A link appears with its content or not at all: no reader sees half a lock. */
function tryLink(lock: string): boolean {
  const temporary = `${lock}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(identifySelf()));
  try {
    linkSync(temporary, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary);
  }
}

function readHolder(lock: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as ProcessIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function lockPath(dataDirectory: string): string {
  return join(dataDirectory, 'supervisor.lock');
}
