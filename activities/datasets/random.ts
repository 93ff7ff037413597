import { createHash } from 'node:crypto';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random choices that is a pure function of its key. Each call of a method advances it. */
export interface RandomStream {
  /** Uniform integer in [low, high], both included. */
  integer(low: number, high: number): number;
  /** Uniform number in [0, 1). */
  fraction(): number;
  pick<T>(items: readonly T[]): T;
  /** The items in a random order, as a new array. */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * Streams with different keys are independent: the generator's whole 128-bit state comes from the sha256 of the key,
 * so neighbouring steps and indices do not give related choices.
 */
export function randomStream(...key: (string | number)[]): RandomStream {
  const digest = createHash('sha256').update(JSON.stringify(key)).digest();
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
  const integer = (low: number, high: number): number => uniformInt(generator, low, high);
  return {
    integer,
    fraction: () => integer(0, 0xffff_ffff) / 0x1_0000_0000,
    pick: (items) => items[integer(0, items.length - 1)],
    shuffle: (items) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last -= 1) {
        const other = integer(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
      }
      return shuffled;
    },
  };
}
