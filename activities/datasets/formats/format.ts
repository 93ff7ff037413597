import type { ReadItem } from '../items/item.js';
import type { Row } from '../rows/rows.js';

/** How the records of a published dataset are read, whichever of its layouts they are in. */
export interface Format {
  /** Every column that `read` looks at. */
  columns: readonly string[];
  /** Columns of CSV are named by their position, from 1. */
  byPosition?: boolean;
  /** The columns that the parts of a question are read from, if a user named them. */
  parts?: Partial<Record<keyof ReadItem, string>>;
  /** What is strange about a file with these columns. */
  note?: (columns: readonly string[]) => string | undefined;
  /** Undefined for a record that is no question of the dataset as it is used here. @throws RowError */
  read(row: Row): ReadItem | undefined;
}

/** Some published questions end in an instruction for another program's answer tags. */
export function withoutInstruction(question: string): string {
  return question.replace(/\s*When ready, output the final answer enclosed in <answer>[\s\S]*$/, '').trim();
}
