import type { MemoryEntry } from '../../../contracts/flow.js';
import { numbersIn } from '../numbers-in.js';

/** The scripted generator's answer: the last number of the last result that holds one, else "unknown". */
export function lastNumber(memory: readonly Pick<MemoryEntry, 'result' | 'mistake'>[]): string {
  const numbers = memory
    .filter(({ mistake }) => mistake === undefined)
    .flatMap(({ result }) => numbersIn(result ?? ''));
  return numbers.at(-1) ?? 'unknown';
}
