import type { TurnRecord } from '../contracts/flow.js';
import { leftOutNote, shortenedNote } from '../contracts/memory-notes.js';

/** A token of most languages' text is about four bytes of UTF-8. */
const BYTES_PER_TOKEN = 4;
/** What a shortened result keeps at least, in bytes: enough to see what it was about. */
const KEPT_BYTES = 200;
/** What a turn takes besides its texts: keys, quotes, number and verdict. */
const ENTRY_BYTES = 48;

/**
 * Memory that takes at most this number of tokens, by an estimate. Results are shortened, oldest first; then whole
 * turns are left out, oldest first. The text says what was shortened or left out, so that no module takes a part for
 * the whole.
 */
export function withinBudget<Entry extends TurnRecord>(memory: readonly Entry[], tokens: number): Entry[] {
  const limit = tokens * BYTES_PER_TOKEN;
  const kept = [...memory];
  let excess = sizeOf(kept) - limit;
  for (let i = 0; i < kept.length && excess > 0; i++) {
    const shortened = shortenResult(kept[i], excess);
    excess -= bytesOf(kept[i].result) - bytesOf(shortened.result);
    kept[i] = shortened;
  }
  return excess > 0 ? leaveOut(kept, limit) : kept;
}

/** Takes at least `excess` bytes off the result, if it has as many. */
function shortenResult<Entry extends TurnRecord>(entry: Entry, excess: number): Entry {
  const bytes = bytesOf(entry.result);
  const note = ` ${shortenedNote(bytes)}`;
  const target = Math.max(KEPT_BYTES, bytes - excess) - note.length;
  if (entry.result === undefined || bytes <= KEPT_BYTES) return entry;
  return { ...entry, result: startOf(entry.result, target) + note };
}

/** The newest turns that fit. The last is always kept: every module needs to see it. */
function leaveOut<Entry extends TurnRecord>(memory: readonly Entry[], limit: number): Entry[] {
  let first = 0;
  const noted = () => withNote(memory.slice(first), first);
  while (first < memory.length - 1 && sizeOf(noted()) > limit) first += 1;
  return noted();
}

function withNote<Entry extends TurnRecord>([next, ...rest]: Entry[], leftOut: number): Entry[] {
  if (leftOut === 0) return [next, ...rest];
  const note = `${leftOutNote(leftOut)} `;
  // Prompts show the mistake of a turn if it has one, else its result.
  const told = next.mistake === undefined ? { result: note + (next.result ?? '') } : { mistake: note + next.mistake };
  return [{ ...next, ...told }, ...rest];
}

function sizeOf(memory: readonly TurnRecord[]): number {
  return memory.reduce((sum, entry) => sum + ENTRY_BYTES + textBytes(entry), 0);
}

function textBytes(entry: TurnRecord): number {
  return Object.values(entry).reduce<number>((sum, value) => sum + (typeof value === 'string' ? bytesOf(value) : 0), 0);
}

function bytesOf(text = ''): number {
  return new TextEncoder().encode(text).length;
}

/** The longest beginning of at most so many bytes that cuts no character. */
function startOf(text: string, bytes: number): string {
  const encoded = new TextEncoder().encode(text).subarray(0, bytes);
  return new TextDecoder().decode(encoded, { stream: true });
}
