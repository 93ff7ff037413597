import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as paired from './paired.js';
import { mcnemarExact, type OutcomesByQuestion } from './paired.js';
import { finish } from './slices.js';

const signFlipTest = (differences: number[], seed?: number) => finish(paired.signFlipTest(differences, seed));
const pairedBootstrap = (differences: number[]) => finish(paired.pairedBootstrap(differences));
const comparePolicies = (one: OutcomesByQuestion, other: OutcomesByQuestion) =>
  finish(paired.comparePolicies(one, other));

describe('mcnemarExact', () => {
  it('gives the p-values of published examples', () => {
    // The worked example of R's package exact2x2.
    expect(mcnemarExact(9, 2)).toBeCloseTo(0.06543, 5);
    // A. Agresti, Categorical data analysis, table 10.1: ratings of a prime minister.
    expect(mcnemarExact(150, 86)).toBeCloseTo(3.716e-5, 7);
  });

  it('is symmetric, at most 1, and 1 where neither is ahead', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(3000), (one, other) => {
        const p = mcnemarExact(one, other);
        expect(p).toBe(mcnemarExact(other, one));
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        if (one === other) expect(p).toBe(1);
      }),
    );
  });
});

describe('signFlipTest', () => {
  it("gives Fisher's count for Darwin's maize: 1,726 of 32,768", () => {
    const eighthsOfAnInch = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
    expect(signFlipTest(eighthsOfAnInch)).toBe(1726 / 32768);
  });

  it('is the exact McNemar test where all differences are of one size', () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(6), fc.nat(10), (up, down, ties) => {
        const differences = [
          ...Array<number>(up).fill(1),
          ...Array<number>(down).fill(-1),
          ...Array<number>(ties).fill(0),
        ];
        expect(signFlipTest(differences)).toBeCloseTo(mcnemarExact(up, down), 10);
      }),
      { numRuns: 30 },
    );
  });

  it('comes close to the exact value by random assignments, and repeats itself to the bit', () => {
    const differences = [...Array<number>(40).fill(1), ...Array<number>(24).fill(-1)];
    expect(Math.abs(signFlipTest(differences) - mcnemarExact(40, 24))).toBeLessThan(0.01);
    expect(signFlipTest(differences, 3)).toBe(signFlipTest(differences, 3));
  });
});

describe('pairedBootstrap', () => {
  it('comes close to the normal interval for many differences, and repeats itself to the bit', () => {
    const differences = Array.from({ length: 400 }, (_, index) => [1, 0, 0, -1, 1][index % 5]);
    const mean = 0.2;
    const deviation = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / differences.length;
    const { value, interval } = pairedBootstrap(differences);
    expect(value).toBeCloseTo(mean, 12);
    expect(interval[0]).toBeCloseTo(mean - 1.96 * deviation, 2);
    expect(interval[1]).toBeCloseTo(mean + 1.96 * deviation, 2);
    expect(pairedBootstrap(differences)).toEqual({ value, interval });
  });

  it('is a point where all differences are equal', () => {
    expect(pairedBootstrap([0.5, 0.5, 0.5])).toEqual({ value: 0.5, interval: [0.5, 0.5] });
    expect(pairedBootstrap([])).toEqual({ value: 0, interval: [0, 0] });
  });
});

describe('in slices', () => {
  it('the numbers are those of one piece', () => {
    const differences = Array.from({ length: 500 }, (_, i) => [1, 0, 0, -1, 1, 0, 0.5][i % 7]);
    expect(finish(paired.pairedBootstrap(differences, 3))).toEqual({ value: 0.215, interval: [0.159, 0.271] });
    expect(signFlipTest(differences, 3)).toBe(0.00009999000099990002);
    expect(signFlipTest(differences.slice(0, 9))).toBe(0.375);
    const ids = Array.from({ length: 60 }, (_, i) => i);
    const right = (every: number) => Object.fromEntries(ids.map((i) => [`q${i}`, [i % every === 0 ? 1 : 0]]));
    expect(comparePolicies(right(3), right(4))).toMatchObject({
      difference: { value: -0.08333333333333333, interval: [-0.25, 0.08333333333333333] },
      pValue: 0.42435622215270985,
    });
  });
});

describe('comparePolicies', () => {
  it('compares question by question, whatever the order, and counts what is not paired', () => {
    const first = { a: [1], b: [0], c: [0], d: [1], only: [1] };
    const second = { d: [1], c: [1], b: [1], a: [0] };
    expect(comparePolicies(first, second)).toMatchObject({
      questions: 4,
      unpaired: 1,
      firstBetter: 1,
      secondBetter: 2,
      difference: { value: 0.25 },
      test: 'mcnemar-exact',
      pValue: 1,
    });
  });

  it('takes the mean of several trials of a question', () => {
    const result = comparePolicies({ a: [1, 0], b: [0, 0] }, { a: [1, 1], b: [1, 0] });
    expect(result).toMatchObject({ test: 'sign-flip', secondBetter: 2, difference: { value: 0.5 }, pValue: 0.5 });
  });

  it('finds no difference between a policy and itself', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 3 })),
        (own) => {
          const { pValue, difference, unpaired } = comparePolicies(own, own);
          expect([pValue, difference.value, unpaired]).toEqual([1, 0, 0]);
        },
      ),
      { numRuns: 20 },
    );
  });
});
