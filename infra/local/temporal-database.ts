import { closeSync, existsSync, fstatSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DataUnusable, moveAside, shellWord } from './data-unusable.js';

/** Of SQLite's header: its first bytes, and where it says how many pages of which size the file has. */
const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
const AT = { pageSize: 16, changes: 24, pages: 28, pagesValidFor: 92 };

/** While it is there, no server has been healthy on the database: it has no history yet. */
function unfinishedMark(database: string): string {
  return `${database}.unfinished`;
}

/**
 * Makes the way free for Temporal's server, which makes the database at its first start, and never finishes one that it
 * was interrupted in.
 * @returns whether something unfinished was removed
 */
export function beginHistory(database: string): boolean {
  const interrupted = existsSync(unfinishedMark(database));
  if (interrupted) for (const path of [`${database}-wal`, `${database}-shm`, database]) rmSync(path, { force: true });
  else if (!existsSync(database)) writeFileSync(unfinishedMark(database), '', { mode: 0o600, flush: true });
  return interrupted;
}

/** A server is healthy on the database: from now on it is kept, whatever happens. */
export function finishHistory(database: string): void {
  rmSync(unfinishedMark(database), { force: true });
}

/** Refuses a history that Temporal's server, or SQLite, would take for an empty one or stumble over. @throws DataUnusable */
export function requireWholeHistory(database: string): void {
  if (existsSync(unfinishedMark(database))) return;
  const wal = `${database}-wal`;
  if (sizeOf(database) > 0) return requireWholeFile(database, sizeOf(wal) > 0);
  // SQLite deletes a write-ahead log without its database: the newest history would be gone.
  if (sizeOf(wal) > 0) {
    throw new DataUnusable(
      `${database}, the history of all workflows, is not there or empty, but ${wal} holds the newest part of it: put the ` +
        `file back beside it, or begin without history: \`mv ${shellWord(wal)} ${shellWord(`${wal}.aside`)}\`.`,
    );
  }
  if (existsSync(database)) throw refusal(database, 'is empty');
}

/** @param hasLog whether a write-ahead log is there, which can hold what the file lacks */
function requireWholeFile(database: string, hasLog: boolean): void {
  const file = openSync(database, 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(file, header, 0, HEADER_BYTES, 0);
    if (header.toString('latin1', 0, MAGIC.length) !== MAGIC) throw refusal(database, 'is no SQLite database');
    const { size } = fstatSync(file);
    const bytes = bytesIn(header);
    if (!hasLog && size < bytes) throw refusal(database, `is cut off: it has ${size} of ${bytes} bytes`);
  } finally {
    closeSync(file);
  }
}

/** What the header says of the file's length; 0 if it does not know, because an old program wrote last. */
function bytesIn(header: Buffer): number {
  const pageSize = header.readUInt16BE(AT.pageSize);
  const isKnown = header.readUInt32BE(AT.changes) === header.readUInt32BE(AT.pagesValidFor);
  return isKnown ? header.readUInt32BE(AT.pages) * (pageSize === 1 ? 65_536 : pageSize) : 0;
}

function refusal(database: string, fault: string): DataUnusable {
  return new DataUnusable(
    `${database}, the history of all workflows, ${fault}. Put a whole copy of it in its place, or begin without history: ` +
      `runs that are not finished then wait for \`agentflow runs revive\`. ${moveAside(database)}`,
  );
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
