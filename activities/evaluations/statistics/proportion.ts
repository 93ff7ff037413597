import type { Estimate } from '../../../contracts/benchmark-evaluation.js';
import { Z_95, wilson } from '../../../contracts/wilson.js';

/**
 * Accuracy over questions that were each asked one or several times. `answers[q]` are the outcomes of question q, 0 or 1.
 * Trials of one question are not independent, so the interval is Wilson's at the effective sample size: as many
 * independent answers as would have the same standard error as these clustered ones. With one trial of each question it
 * is Wilson's own; trials that always agree count as one. Where all answers are right, or all wrong, the data say nothing
 * of how they vary, and each question counts once.
 * Sources: the clustered standard error as in E. Miller, "Adding error bars to evals", arXiv 2411.00640 (2024), 2.2; the
 * effective sample size in Wilson's interval as in C. Franco et al., "Comparative study of confidence intervals for
 * proportions in complex sample surveys", Journal of Survey Statistics and Methodology 7 (2019).
 */
export function accuracyOf(answers: readonly (readonly number[])[]): Estimate {
  const asked = answers.filter((trials) => trials.length > 0);
  const count = asked.reduce((sum, trials) => sum + trials.length, 0);
  if (count === 0) return { value: 0, interval: [0, 1] };
  const value = asked.reduce((sum, trials) => sum + total(trials), 0) / count;
  const spread = value * (1 - value);
  const variance = clusteredVariance(asked, value, count);
  const effective = variance > 0 && spread > 0 ? Math.min(spread / variance, count) : asked.length;
  return { value, interval: wilson(value * effective, effective) };
}

/**
 * Mean of a number per answer (turns, tokens, F1), with a 95 % interval whose standard error is clustered by question.
 * Source: E. Miller, arXiv 2411.00640 (2024), 2.2.
 */
export function clusteredMean(values: readonly (readonly number[])[]): Estimate {
  const asked = values.filter((trials) => trials.length > 0);
  const count = asked.reduce((sum, trials) => sum + trials.length, 0);
  if (count === 0) return { value: 0, interval: [0, 0] };
  const value = asked.reduce((sum, trials) => sum + total(trials), 0) / count;
  const half = Z_95 * Math.sqrt(clusteredVariance(asked, value, count));
  return { value, interval: [value - half, value + half] };
}

/** Variance of the mean where only questions are independent of each other. */
function clusteredVariance(clusters: readonly (readonly number[])[], mean: number, count: number): number {
  const squares = clusters.map((trials) => (total(trials) - trials.length * mean) ** 2);
  return total(squares) / (count * count);
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
