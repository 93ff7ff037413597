import { withoutNotes } from '../../contracts/memory-notes.js';

/** The numbers in a text, in order, as written but without thousands separators. */
export function numbersIn(text: string): string[] {
  return (withoutNotes(text).match(/(?<![\w.])-?\d[\d,]*(?:\.\d+)?/g) ?? []).map((number) =>
    number.replaceAll(',', ''),
  );
}
