/*
 * What stands in a text of memory in place of what was taken out, so that no module takes a part for the whole.
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

/** A text without the notes, so that nobody takes a number in a note for one that a tool gave. */
export function withoutNotes(text: string): string {
  return text.replace(NOTES, '');
}
