import type { Evaluation, Step } from '../api/queries.js';

/** A line: points of step and value, ascending. A null leaves a gap. */
export interface Series {
  name: string;
  points: [number, number | null][];
}

/** The values of a metric by step; a step without it leaves a gap. */
export function metricSeries(steps: readonly Step[], metric: string, name: string): Series {
  return { name, points: steps.map(({ step, metrics }) => [step, asNumber(metrics[metric])]) };
}

/** Of an object of counts by name, such as `tool_mix`: a line for each name, zero at steps that lack it. */
export function countSeries(steps: readonly Step[], metric: string): Series[] {
  const names = new Set(steps.flatMap(({ metrics }) => Object.keys(countsOf(metrics[metric]))));
  return [...names].sort().map((name) => ({
    name,
    points: steps.map(({ step, metrics }) => [step, asNumber(countsOf(metrics[metric])[name]) ?? 0]),
  }));
}

/** Held-out accuracy of the policy, with the ends of its interval. */
export function accuracySeries(evaluations: readonly Evaluation[]): Series[] {
  const ofPolicy = evaluations.filter(({ planner }) => planner === 'policy').sort((a, b) => a.step - b.step);
  const line = (name: string, value: (evaluation: Evaluation) => number): Series => ({
    name,
    points: ofPolicy.map((evaluation) => [evaluation.step, value(evaluation)]),
  });
  return [
    line('accuracy', ({ accuracy }) => accuracy),
    line('95 % from', ({ interval }) => interval[0]),
    line('95 % to', ({ interval }) => interval[1]),
  ];
}

/** The exponentially weighted mean of the values so far, unbiased at the start; `weight` of the past, from 0 to below 1. */
export function smoothed({ name, points }: Series, weight: number): Series {
  if (weight === 0) return { name, points };
  let [sum, total] = [0, 0];
  return {
    name,
    points: points.map(([step, value]) => {
      if (value === null) return [step, null];
      sum = weight * sum + (1 - weight) * value;
      total = weight * total + (1 - weight);
      return [step, sum / total];
    }),
  };
}

/** A table of the series: one row for each step that any of them has. */
export function toCsv(series: readonly Series[]): string {
  const steps = [...new Set(series.flatMap(({ points }) => points.map(([step]) => step)))].sort((a, b) => a - b);
  const values = series.map(({ points }) => new Map(points));
  const rows = steps.map((step) => [step, ...values.map((of) => of.get(step) ?? '')].join(','));
  return [['step', ...series.map(({ name }) => quoted(name))].join(','), ...rows, ''].join('\n');
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function countsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
