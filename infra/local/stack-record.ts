import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { z } from 'zod';
import { readStateFile } from './state-file.js';

const SIGNALS = Object.keys(constants.signals) as [NodeJS.Signals, ...NodeJS.Signals[]];

/** Where the parts of a running stack are reached. */
const stackUrls = z.object({
  api: z.string(),
  docs: z.string(),
  /** host:port */
  temporal: z.string(),
  /** Undefined for an existing cluster: its UI is not ours to know. */
  temporalUi: z.string().optional(),
  /** Holds the password. */
  database: z.string(),
  policyServer: z.string(),
});
export type StackUrls = z.infer<typeof stackUrls>;

/** A process that the supervisor started: the leader of its own process group. */
const childRecord = z.object({
  pid: z.int().positive(),
  startTime: z.string(),
  stopSignal: z.enum(SIGNALS),
  /** Since when it has not answered; absent while it does. */
  silentSince: z.string().optional(),
  /** How often it was started again after it had died or hung, and why the last time. */
  restarts: z.number().optional(),
  lastRestart: z.object({ at: z.string(), why: z.string() }).optional(),
});
export type ChildRecord = z.infer<typeof childRecord>;

/** `<data directory>/stack.json`: what the supervisor started, so that the next one can stop what this one left. */
const stackRecord = z.object({
  /** Who wrote it. Absent once its stack has stopped, and in what earlier versions wrote. */
  supervisor: z.object({ pid: z.int().positive(), startTime: z.string() }).optional(),
  children: z.record(z.string(), childRecord),
  /** Present once everything is up. They count while `supervisor` runs: one that was killed leaves them. */
  urls: stackUrls.optional(),
});
export type StackRecord = z.infer<typeof stackRecord>;

/**
 * The record, or an empty one if there is none, or one that a power cut has damaged: what it named still carries the
 * stack's mark.
 * @param onDamage told in a sentence what is wrong with the file
 * @throws DataUnusable if something else has its name, or this user cannot read it
 */
export function readStackRecord(path: string, onDamage: (message: string) => void = () => undefined): StackRecord {
  const text = readStateFile(path);
  if (text === undefined) return { children: {} };
  try {
    return stackRecord.parse(JSON.parse(text));
  } catch {
    onDamage(
      `${path}, the record of what the local stack started, is damaged and counts as empty. The next start writes it ` +
        'anew; `npm run down` stops what still runs.',
    );
    return { children: {} };
  }
}

/**
 * Replaces the record as a whole; only its owner can read it, because it holds the database's URL.
 * @throws the error of the file system, and leaves the record as it was
 */
export function writeStackRecord(path: string, record: StackRecord): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeDurably(temporary, `${JSON.stringify(record, null, 2)}\n`);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Without it, a power cut after the renaming leaves an empty record. */
function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
