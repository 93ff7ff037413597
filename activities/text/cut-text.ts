import { cutNote } from '../../contracts/memory-notes.js';

/** The limit of a tool result in workflow memory (I6). */
export const MEMORY_BYTES = 8 * 1024;

/**
 * Cuts a text to at most `limit` bytes of UTF-8, at a character, with a note that says what is missing.
 * @param all bytes of the text that this one is the beginning of
 */
export function cutText(text: string, limit = MEMORY_BYTES, all = Buffer.byteLength(text)): string {
  if (all <= limit) return text;
  const bytes = Buffer.from(text, 'utf8');
  const note = `\n${cutNote(all)}`;
  let end = Math.min(bytes.length, limit - Buffer.byteLength(note));
  while (isContinuation(bytes[end])) end -= 1;
  return bytes.toString('utf8', 0, end) + note;
}

/** Whether this byte continues a UTF-8 character that began before it. */
function isContinuation(byte: number): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000;
}
