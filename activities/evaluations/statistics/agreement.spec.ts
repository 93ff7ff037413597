import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { agreementOf } from './agreement.js';

function verdicts(both: number, first: number, second: number, neither: number): [boolean, boolean][] {
  return [
    ...Array.from({ length: both }, (): [boolean, boolean] => [true, true]),
    ...Array.from({ length: first }, (): [boolean, boolean] => [true, false]),
    ...Array.from({ length: second }, (): [boolean, boolean] => [false, true]),
    ...Array.from({ length: neither }, (): [boolean, boolean] => [false, false]),
  ];
}

describe('agreementOf', () => {
  it('gives the kappa of the published example', () => {
    // A. J. Viera and J. M. Garrett, Family Medicine 37 (2005): two residents, 100 patients, kappa 0.57.
    const agreement = agreementOf(verdicts(15, 5, 10, 70));
    expect(agreement).toMatchObject({ answers: 100, observed: 0.85, table: [15, 5, 10, 70] });
    expect(agreement.kappa).toBeCloseTo(0.57, 2);
  });

  it('is 1 for equal verdicts, 0 for chance, and undefined where there is nothing to tell apart', () => {
    expect(agreementOf(verdicts(3, 0, 0, 5)).kappa).toBe(1);
    expect(agreementOf(verdicts(10, 10, 10, 10)).kappa).toBeCloseTo(0, 12);
    expect(agreementOf(verdicts(7, 0, 0, 0))).toEqual({ answers: 7, observed: 1, table: [7, 0, 0, 0] });
    expect(agreementOf([])).toEqual({ answers: 0, observed: 0, table: [0, 0, 0, 0] });
  });

  it('does not depend on which judge is the first, and is never above what was observed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.boolean())), (pairs) => {
        const one = agreementOf(pairs);
        const other = agreementOf(pairs.map(([first, second]) => [second, first]));
        expect(other.observed).toBe(one.observed);
        expect(other.kappa ?? 2).toBeCloseTo(one.kappa ?? 2, 12);
        expect(one.kappa ?? -1).toBeLessThanOrEqual(one.observed + 1e-12);
      }),
    );
  });
});
