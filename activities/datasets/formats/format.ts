import type { ParsedItem } from '../items/item.js';
import type { Row } from '../rows/rows.js';

/** How the records of a published dataset are read, whichever of its layouts they are in. */
export interface Format {
  /** Every column that `read` looks at. */
  columns: readonly string[];
  /** Undefined for a record that is no question of the dataset as it is used here. @throws RowError */
  read(row: Row): ParsedItem | undefined;
}

/** Some published questions end in an instruction for another program's answer tags. */
export function withoutInstruction(question: string): string {
  return question.replace(/\s*When ready, output the final answer enclosed in <answer>[\s\S]*$/, '').trim();
}
