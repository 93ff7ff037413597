import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessIdentity } from './process-identity.js';

/** Where the parts of a running stack are reached. */
export interface StackUrls {
  api: string;
  docs: string;
  /** host:port */
  temporal: string;
  /** Undefined for an existing cluster: its UI is not ours to know. */
  temporalUi?: string;
  /** Holds the password. */
  database: string;
  policyServer: string;
}

/** A process that the supervisor started: the leader of its own process group. */
export interface ChildRecord extends ProcessIdentity {
  stopSignal: NodeJS.Signals;
}

/** `<data directory>/stack.json`: what the supervisor started, so that the next one can stop what this one left. */
export interface StackRecord {
  children: Record<string, ChildRecord>;
  /** Present once everything is up. */
  urls?: StackUrls;
}

/** The record, or an empty one where there is none. */
export function readStackRecord(path: string): StackRecord {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as StackRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { children: {} };
    throw new Error(`${path} cannot be read: ${(error as Error).message}. Remove it if nothing of the stack runs.`, {
      cause: error,
    });
  }
}

/** Replaces the record as a whole; only its owner can read it, because it holds the database's URL. */
export function writeStackRecord(path: string, record: StackRecord): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}
