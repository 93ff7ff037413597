import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { wilson, Z_95 } from '../../../contracts/wilson.js';
import { accuracyOf, clusteredMean } from './proportion.js';

const outcome = fc.constantFrom(0, 1);
const clusters = fc.array(fc.array(outcome, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 40 });

describe('wilson', () => {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('gives the published interval of %d out of %d', (successes, trials, low, high) => {
    const interval = wilson(successes, trials);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  it('holds the proportion, stays in [0, 1], and is the mirror image for failures', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (successes, failures) => {
        const trials = successes + failures;
        const [low, high] = wilson(successes, trials);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        if (trials === 0) return;
        expect(low).toBeLessThanOrEqual(successes / trials + 1e-12);
        expect(high).toBeGreaterThanOrEqual(successes / trials - 1e-12);
        expect(wilson(failures, trials)[0]).toBeCloseTo(1 - high, 12);
      }),
    );
  });
});

describe('accuracyOf', () => {
  it('is the Wilson interval where each question was asked once', () => {
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 300 }), (outcomes) => {
        const right = outcomes.filter((value) => value === 1).length;
        const { value, interval } = accuracyOf(outcomes.map((one) => [one]));
        const expected = wilson(right, outcomes.length);
        expect(value).toBeCloseTo(right / outcomes.length, 12);
        expect(interval[0]).toBeCloseTo(expected[0], 10);
        expect(interval[1]).toBeCloseTo(expected[1], 10);
      }),
    );
  });

  it('gains nothing from trials that always agree', () => {
    fc.assert(
      fc.property(
        fc.array(outcome, { minLength: 1, maxLength: 100 }),
        fc.integer({ min: 2, max: 6 }),
        (outcomes, m) => {
          const once = accuracyOf(outcomes.map((one) => [one]));
          const repeated = accuracyOf(outcomes.map((one) => Array.from({ length: m }, () => one)));
          expect(repeated.interval[0]).toBeCloseTo(once.interval[0], 10);
          expect(repeated.interval[1]).toBeCloseTo(once.interval[1], 10);
        },
      ),
    );
  });

  it('is never narrower than as many independent answers would be, and never wider than [0, 1]', () => {
    fc.assert(
      fc.property(clusters, (answers) => {
        const flat = answers.flat();
        const independent = wilson(flat.filter((value) => value === 1).length, flat.length);
        const { interval } = accuracyOf(answers);
        expect(interval[1] - interval[0]).toBeGreaterThanOrEqual(independent[1] - independent[0] - 1e-9);
        expect(interval[0]).toBeGreaterThanOrEqual(0);
        expect(interval[1]).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('says nothing where nothing was asked', () => {
    expect(accuracyOf([])).toEqual({ value: 0, interval: [0, 1] });
    expect(accuracyOf([[]])).toEqual({ value: 0, interval: [0, 1] });
  });
});

describe('clusteredMean', () => {
  it('has the standard error of the published double sum over pairs of a cluster', () => {
    const numbers = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(numbers, (values) => {
        const flat = values.flat();
        const mean = flat.reduce((sum, value) => sum + value, 0) / flat.length;
        const pairs = values.flatMap((cluster) =>
          cluster.flatMap((one) => cluster.map((other) => (one - mean) * (other - mean))),
        );
        const error =
          Math.sqrt(
            Math.max(
              0,
              pairs.reduce((sum, value) => sum + value, 0),
            ),
          ) / flat.length;
        const { value, interval } = clusteredMean(values);
        expect(value).toBeCloseTo(mean, 10);
        expect((interval[1] - interval[0]) / 2).toBeCloseTo(Z_95 * error, 6);
      }),
    );
  });
});
