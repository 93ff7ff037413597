/** How far two judges of the same answers agree. */
export interface Agreement {
  /** Answers that both judged. */
  answers: number;
  /** Share of them on which both say the same. */
  observed: number;
  /** Cohen's kappa: agreement beyond chance. Undefined where chance alone would agree always, or nothing was judged. */
  kappa?: number;
  /** Counts: [both right, only the first says right, only the second does, both wrong]. */
  table: [number, number, number, number];
}

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
