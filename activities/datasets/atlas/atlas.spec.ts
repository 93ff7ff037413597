import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RunConfig } from '../../../contracts/run-config.js';
import { atlas } from './atlas.dataset.js';
import { FAMILIES } from './question.js';
import { atlasTruth } from './truth.js';
import { buildWorld, HELD_OUT_PLACES, TRAINING_PLACES } from './world.js';

const seeds = fc.nat(0xffff_ffff);
const everyFamily: RunConfig['dataset'] = {
  name: 'atlas',
  seed: 7,
  families: { arithmetic: 1, lookup: 1, 'two-hop': 1, comparison: 1, sum: 1 },
};
const plain: RunConfig['dataset'] = { name: 'atlas', seed: 7 };

/** Answers a question from its words and the articles' sentences: no code shared with the generator. */
function readerOf(seed: number): (question: string) => number {
  const articles = atlas
    .passages(seed)
    .map(({ text }) => text)
    .join(' ');
  const value = (phrase: string): number => Number(articles.split(`The ${phrase} is `)[1].split('.')[0]);
  const operand = (text: string): number => (/^\d+$/.test(text) ? Number(text) : value(text.replace(/^the /, '')));
  return (question) => {
    const body = question.replace(/\?$/, '');
    if (body.startsWith('How much larger is the ')) {
      const [larger, smaller] = body.replace('How much larger is the ', '').split(' than the ');
      return value(larger) - value(smaller);
    }
    const [left, operator, right] = body.replace('What is ', '').split(/ (plus|minus|times) /);
    if (operator === undefined) return operand(left);
    if (operator === 'plus') return operand(left) + operand(right);
    return operator === 'minus' ? operand(left) - operand(right) : operand(left) * operand(right);
  };
}

describe('atlas', () => {
  it('has disjoint training and held-out places, each with four facts from 100 to 9999', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { training, heldOut, facts } = buildWorld(seed);
        expect([training.length, heldOut.length]).toEqual([TRAINING_PLACES, HELD_OUT_PLACES]);
        expect(new Set([...training, ...heldOut]).size).toBe(TRAINING_PLACES + HELD_OUT_PLACES);
        for (const value of [...facts.values()].flatMap((place) => Object.values(place))) {
          expect(value).toBeGreaterThanOrEqual(100);
          expect(value).toBeLessThanOrEqual(9999);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('draws as a pure function of run seed, step and index', () => {
    fc.assert(
      fc.property(seeds, fc.nat(10_000), fc.integer({ min: 1, max: 20 }), (runSeed, step, count) => {
        const draw = (n: number) => atlas.draw({ runSeed, step, first: 0, count: n, dataset: everyFamily });
        expect(draw(20).slice(0, count)).toEqual(draw(count));
      }),
      { numRuns: 20 },
    );
    const first = { runSeed: 0, step: 1, first: 0, count: 8, dataset: plain };
    expect(atlas.draw(first)).not.toEqual(atlas.draw({ ...first, runSeed: 1 }));
    expect(atlas.draw(first)).not.toEqual(atlas.draw({ ...first, step: 2 }));
  });

  it('finds the right truth of every question from its id alone', () => {
    fc.assert(
      fc.property(seeds, seeds, fc.nat(1000), (seed, runSeed, step) => {
        const dataset = { ...everyFamily, seed };
        const answer = readerOf(seed);
        for (const query of [
          ...atlas.draw({ runSeed, step, first: 0, count: 15, dataset }),
          ...atlas.evaluation({ dataset, offset: step, count: 15 }),
        ]) {
          expect(atlasTruth(query.id).answer).toBe(answer(query.question));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('asks training questions about training places and evaluation questions about held-out ones', () => {
    const { training, heldOut } = buildWorld(7);
    const mentions = (places: string[], question: string) => places.some((place) => question.includes(place));
    for (const { question } of atlas.draw({ runSeed: 1, step: 1, first: 0, count: 300, dataset: everyFamily })) {
      expect(mentions(heldOut, question)).toBe(false);
    }
    for (const { question } of atlas.evaluation({ dataset: everyFamily, offset: 0, count: 300 })) {
      expect(mentions(training, question)).toBe(false);
    }
  });

  it('evaluates families in turn, whatever their training weights and however the questions are paged', () => {
    const dataset = { ...plain, families: { sum: 9, arithmetic: 1 } };
    const all = atlas.evaluation({ dataset, offset: 0, count: 20 });
    expect(all.map(({ family }) => family).slice(0, 4)).toEqual(['arithmetic', 'sum', 'arithmetic', 'sum']);
    expect(atlas.evaluation({ dataset, offset: 7, count: 5 })).toEqual(all.slice(7, 12));
    expect(atlas.evaluation({ dataset: plain, offset: 0, count: 3 }).map(({ family }) => family)).toEqual([
      'arithmetic',
      'lookup',
      'two-hop',
    ]);
  });

  it('does not repeat a held-out look-up before every fact was asked for', () => {
    const lookups = atlas.evaluation({ dataset: { ...plain, families: { lookup: 1 } }, offset: 0, count: 80 });
    expect(new Set(lookups.map(({ question }) => question)).size).toBe(80);
  });

  it('keeps every batch of draws close to the weights', () => {
    for (let step = 1; step <= 50; step += 1) {
      const drawn = atlas.draw({ runSeed: 3, step, first: 0, count: 9, dataset: plain });
      for (const family of FAMILIES.slice(0, 3)) {
        const count = drawn.filter((query) => query.family === family).length;
        expect(count).toBeGreaterThanOrEqual(2);
        expect(count).toBeLessThanOrEqual(4);
      }
    }
  });

  it('answers NotFound for an id that it never made', () => {
    for (const id of ['atlas:7:eval:1:riddle', 'atlas:7:train:1:lookup', 'other:7:eval:1:lookup', '']) {
      expect(() => atlasTruth(id)).toThrow(expect.objectContaining({ type: 'NotFound', nonRetryable: true }));
    }
  });
});
