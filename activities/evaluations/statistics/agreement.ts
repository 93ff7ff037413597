import type { Agreement } from '../../../contracts/benchmark-evaluation.js';

/**
 * Agreement of two judges that say right or wrong.
 * Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960).
 */
export function agreementOf(verdicts: readonly (readonly [first: boolean, second: boolean])[]): Agreement {
  const count = (first: boolean, second: boolean): number =>
    verdicts.filter(([one, other]) => one === first && other === second).length;
  const table: Agreement['table'] = [count(true, true), count(true, false), count(false, true), count(false, false)];
  const [both, onlyFirst, onlySecond, neither] = table;
  const n = verdicts.length;
  if (n === 0) return { answers: 0, observed: 0, table };
  const observed = (both + neither) / n;
  const chance = ((both + onlyFirst) * (both + onlySecond) + (neither + onlyFirst) * (neither + onlySecond)) / (n * n);
  return { answers: n, observed, ...(chance < 1 && { kappa: (observed - chance) / (1 - chance) }), table };
}
