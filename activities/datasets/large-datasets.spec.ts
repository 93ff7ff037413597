import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { turnsDuring } from '../testing/turns-during.js';
import { askedInTraining } from './asked-in-training.js';
import { identify } from './items/identify.js';
import type { Item } from './items/item.js';
import { splitItems } from './items/load-items.js';
import { OverlapFilter } from './items/overlap.js';
import { valuesOfArray } from './rows/array-values.js';
import { parseJson } from './rows/parse-json.js';

const ITEMS = Array.from({ length: 60_000 }, (_, n): Item => ({
  id: `d:${n}`,
  question: `In which of the ${n} towns by the long river was the painter of that picture born?`,
  family: 'f',
  truth: { kind: 'text', answers: [`Town ${n}`] },
}));

/** Without an end of their turn, each of these takes a second or so of one, and more with more questions. */
describe('a dataset of many questions leaves the event loop to others while', () => {
  const filter = async () => {
    const overlap = new OverlapFilter(13);
    await overlap.add('b', ITEMS.slice(0, 100));
    return overlap.without(ITEMS);
  };

  it.each<[string, () => Promise<unknown>]>([
    ['its questions get their ids', () => identify('d', ITEMS)],
    ['questions are held out', () => splitItems(ITEMS, 100)],
    ['what is held out is looked for in training', () => askedInTraining(ITEMS, ITEMS)],
    ['overlaps with benchmarks are looked for', filter],
  ])('%s', async (_, work) => {
    expect(await turnsDuring(work())).toBeGreaterThan(0);
  });

  it('and an end of dots is no square of its length', async () => {
    const question = `${'.'.repeat(500_000)}x`;
    expect(await askedInTraining([{ id: 'a', question }], [{ id: 'b', question: `${question}..` }])).toEqual([
      { heldOut: 'b', training: 'a' },
    ]);
  });
});

describe('an array that arrives in pieces', () => {
  async function* pieces(text: string, size: number): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
  }

  it('is what parsing it at once makes of it, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (array, size, pretty) => {
          const text = JSON.stringify(array, undefined, pretty ? 1 : undefined);
          expect(await valuesOfArray(pieces(text, size))).toEqual(parseJson(text));
        },
      ),
    );
  });

  it('is undefined where JSON.parse finds no array', async () => {
    const text = fc.string({ unit: fc.constantFrom(...'[]{},:"\\ 1n\n'), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 3 }), async (inside, size) => {
        const whole = `[${inside}]`;
        const parsed = attempt(whole);
        expect(await valuesOfArray(pieces(whole, size))).toEqual(parsed);
      }),
      { numRuns: 2_000 },
    );
    for (const other of ['', '{}', '1', '[1', '[1],', '[1,]', '[,1]', '[1 2]', '[}]', '[[}]', '["a]', '[1]]', 'x[1]']) {
      expect([other, await valuesOfArray(pieces(other, 2))]).toEqual([other, undefined]);
    }
  });
});

function attempt(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
