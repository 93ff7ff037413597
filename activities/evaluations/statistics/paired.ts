import type { Comparison, Estimate } from '../../../contracts/benchmark-evaluation.js';
import { seededRandom } from './seeded-random.js';
import type { Slices } from './slices.js';

/** Resamples of a bootstrap, and random sign assignments of a permutation test. */
const RESAMPLES = 10_000;
/** Up to so many pairs that differ, all 2^n sign assignments are tried. */
const ENUMERATED_PAIRS = 16;
/** Resamples, or sign assignments, of one slice: milliseconds, with thousands of pairs too. */
const SLICE = 250;
/** Sums that differ by less are equal: floating point must not decide about ties. */
const TIE = 1e-9;

/**
 * Exact McNemar test, which is the sign test of the questions that only one of two policies got right.
 * @returns the two-sided p-value
 * Source: Q. McNemar, Psychometrika 12 (1947); the exact form as in A. Agresti, "Categorical data analysis", 10.1.
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  let logTerm = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= fewer; k += 1) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(n - k) - Math.log(k + 1);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Permutation test of paired differences: under the null hypothesis each has either sign. All sign assignments are tried
 * where they are few, else a fixed random choice of them, with one added to both counts.
 * @returns the two-sided p-value
 * Sources: R. A. Fisher, "The design of experiments" (1935), 21; B. Phipson and G. K. Smyth, Statistical Applications in
 * Genetics and Molecular Biology 9 (2010).
 */
export function* signFlipTest(differences: readonly number[], seed = 0): Slices<number> {
  const moved = differences.filter((difference) => difference !== 0);
  const observed = Math.abs(sum(moved));
  const isExtreme = (flipped: number): boolean => Math.abs(flipped) >= observed - TIE;
  if (moved.length <= ENUMERATED_PAIRS) {
    const assignments = 2 ** moved.length;
    let extreme = 0;
    for (let signs = 0; signs < assignments; signs += 1) {
      if (signs % SLICE === 0) yield;
      if (isExtreme(sum(moved.map((difference, bit) => ((signs >> bit) & 1 ? -difference : difference))))) extreme += 1;
    }
    return extreme / assignments;
  }
  const random = seededRandom(seed);
  let extreme = 1;
  for (let draw = 0; draw < RESAMPLES; draw += 1) {
    if (draw % SLICE === 0) yield;
    if (isExtreme(sum(moved.map((difference) => (random() < 0.5 ? -difference : difference))))) extreme += 1;
  }
  return extreme / (RESAMPLES + 1);
}

/**
 * Mean of paired differences with the 95 % percentile interval of a bootstrap that draws questions with replacement.
 * Source: B. Efron and R. J. Tibshirani, "An introduction to the bootstrap" (1993), 13.3.
 */
export function* pairedBootstrap(differences: readonly number[], seed = 0): Slices<Estimate> {
  const n = differences.length;
  if (n === 0) return { value: 0, interval: [0, 0] };
  const random = seededRandom(seed);
  const means: number[] = [];
  for (let resample = 0; resample < RESAMPLES; resample += 1) {
    if (resample % SLICE === 0) yield;
    let total = 0;
    for (let draw = 0; draw < n; draw += 1) total += differences[Math.floor(random() * n)];
    means.push(total / n);
  }
  means.sort((a, b) => a - b);
  const at = (share: number): number => means[Math.min(RESAMPLES - 1, Math.floor(share * RESAMPLES))];
  return { value: sum(differences) / n, interval: [at(0.025), at(0.975)] };
}

/** Outcomes (0 or 1) of each question, by query id, one per trial. */
export type OutcomesByQuestion = Readonly<Record<string, readonly number[]>>;

/** Two policies question by question: McNemar's exact test where each question has one trial, else a permutation test. */
export function* comparePolicies(first: OutcomesByQuestion, second: OutcomesByQuestion, seed = 0): Slices<Comparison> {
  const ids = [...new Set([...Object.keys(first), ...Object.keys(second)])].sort();
  const paired = ids.filter((id) => (first[id]?.length ?? 0) > 0 && (second[id]?.length ?? 0) > 0);
  const differences = paired.map((id) => sum(second[id]) / second[id].length - sum(first[id]) / first[id].length);
  const firstBetter = differences.filter((difference) => difference < 0).length;
  const secondBetter = differences.filter((difference) => difference > 0).length;
  const single = paired.every((id) => first[id].length === 1 && second[id].length === 1);
  return {
    questions: paired.length,
    unpaired: ids.length - paired.length,
    firstBetter,
    secondBetter,
    difference: yield* pairedBootstrap(differences, seed),
    test: single ? 'mcnemar-exact' : 'sign-flip',
    pValue: single ? mcnemarExact(firstBetter, secondBetter) : yield* signFlipTest(differences, seed),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
