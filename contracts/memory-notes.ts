/*
 * What stands in a text of memory in the place of what was taken out of it, so that no module takes a part for the whole.
 */

export function cutNote(bytes: number): string {
  return `[cut: ${bytes} bytes in all]`;
}

export function shortenedNote(bytes: number): string {
  return `[shortened: ${bytes} bytes in all]`;
}

export function leftOutNote(turns: number): string {
  return `[turns 1 to ${turns} are left out: the memory is full]`;
}

const NOTES = new RegExp(
  [cutNote, shortenedNote, leftOutNote].map((note) => note(0).replace(/[[\]]/g, '\\$&').replace('0', '\\d+')).join('|'),
  'g',
);

/** A text as its author wrote it, as far as it is there: the numbers of notes are none of a tool's. */
export function withoutNotes(text: string): string {
  return text.replace(NOTES, '');
}
