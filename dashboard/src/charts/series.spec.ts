import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Evaluation, Step } from '../api/queries.js';
import { accuracySeries, countSeries, metricSeries, smoothed, toCsv } from './series.js';

const step = (number: number, metrics: Record<string, unknown>) => ({ step: number, metrics }) as Step;

describe('series of a chart', () => {
  it('have a gap at a step without the metric, or with what is no number', () => {
    const steps = [step(1, { entropy: 0.5 }), step(2, {}), step(3, { entropy: 'NaN' }), step(4, { entropy: 0 })];
    expect(metricSeries(steps, 'entropy', 'run').points).toEqual([
      [1, 0.5],
      [2, null],
      [3, null],
      [4, 0],
    ]);
  });

  it('count nothing at a step that lacks a name', () => {
    const steps = [step(1, { tool_mix: { calculator: 2 } }), step(2, { tool_mix: { lookup: 1 } }), step(3, {})];
    expect(countSeries(steps, 'tool_mix')).toEqual([
      { name: 'calculator', points: [[1, 2], [2, 0], [3, 0]] }, // prettier-ignore
      { name: 'lookup', points: [[1, 0], [2, 1], [3, 0]] }, // prettier-ignore
    ]);
  });

  it('show the accuracy of the policy alone, with the ends of its interval, by step', () => {
    const evaluation = (at: number, planner: string) =>
      ({ step: at, planner, accuracy: 0.5, interval: [0.25, 0.75] }) as Evaluation;
    const [accuracy, from, to] = accuracySeries([
      evaluation(4, 'policy'),
      evaluation(0, 'random'),
      evaluation(0, 'policy'),
    ]);
    expect([accuracy.points, from.points, to.points]).toEqual([
      [[0, 0.5], [4, 0.5]], // prettier-ignore
      [[0, 0.25], [4, 0.25]], // prettier-ignore
      [[0, 0.75], [4, 0.75]], // prettier-ignore
    ]);
  });

  it('stay between the least and the largest value when they are smoothed, and begin with the first', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 0.99, noNaN: true }), (all, weight) => {
        const points = all.map((value, index): [number, number] => [index, value]);
        const smooth = smoothed({ name: 'x', points }, weight).points.map(([, value]) => value!);
        const slack = 1e-6 * Math.max(...all.map(Math.abs), 1);
        expect(Math.abs(smooth[0] - all[0])).toBeLessThanOrEqual(slack);
        expect(Math.min(...smooth)).toBeGreaterThanOrEqual(Math.min(...all) - slack);
        expect(Math.max(...smooth)).toBeLessThanOrEqual(Math.max(...all) + slack);
      }),
    );
  });

  it('keep their gaps when they are smoothed', () => {
    const points: [number, number | null][] = [[1, 1], [2, null], [3, 3]]; // prettier-ignore
    expect(smoothed({ name: 'x', points }, 0.5).points.map(([, value]) => value === null)).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('are a table with a row for each step that any of them has, and names that a spreadsheet reads', () => {
    const table = toCsv([
      { name: 'a, "b"', points: [[2, 0.5], [1, null]] }, // prettier-ignore
      { name: 'c', points: [[10, 1]] },
    ]);
    expect(table).toBe('step,"a, ""b""",c\n1,,\n2,0.5,\n10,,1\n');
  });
});
