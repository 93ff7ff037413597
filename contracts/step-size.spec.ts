import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runConfigSchema } from './run-config.js';
import { oversized } from './step-size.js';

const config = (training: object, flow: object = {}) =>
  runConfigSchema.parse({ model: 'tiny-random', steps: 1, training, flow });

describe('a step that Temporal does not take', () => {
  it.each([
    [
      'events',
      { queries_per_step: 256, group_size: 2, groups: { over_sample: 64 } },
      {},
      'training.groups.over_sample',
    ],
    [
      'bytes of its history',
      { queries_per_step: 1024, group_size: 256 },
      { max_turns: 10 },
      'training.queries_per_step',
    ],
  ])('for its %s is refused, with the key and the largest value that fits', (_, training, flow, param) => {
    const [refused, ...others] = oversized(config(training, flow));
    expect(others).toEqual([]);
    expect(refused.param).toBe(param);
    const most = Number(/The largest that fits is ([\d.]+)\.$/.exec(refused.message)?.[1]);
    const [key, changed] =
      param === 'training.groups.over_sample'
        ? [{ groups: { over_sample: most } }, { groups: { over_sample: most + 0.01 } }]
        : [{ [param.slice(9)]: most }, { [param.slice(9)]: most + 1 }];
    expect(oversized(config({ ...training, ...key }, flow))).toEqual([]);
    expect(oversized(config({ ...training, ...changed }, flow))).toMatchObject([{ param }]);
  });

  it('is none of the defaults, nor of the sizes of the paper', () => {
    expect(oversized(config({}))).toEqual([]);
    expect(oversized(config({ queries_per_step: 32, group_size: 8 }, { max_turns: 10 }))).toEqual([]);
    expect(oversized(config({ queries_per_step: 128, group_size: 16, groups: { over_sample: 2 } }))).toEqual([]);
  });

  it('the largest that is named always fits, whatever else is configured', () => {
    const sizes = fc.record({
      queries: fc.integer({ min: 1, max: 1024 }),
      groupSize: fc.integer({ min: 2, max: 256 }),
      overSample: fc.option(fc.double({ min: 1.01, max: 64, noNaN: true })),
      turns: fc.integer({ min: 1, max: 50 }),
      outputs: fc.constantFrom(['direct'], ['direct', 'final'], ['direct', 'final', 'base']),
    });
    fc.assert(
      fc.property(sizes, ({ queries, groupSize, overSample, turns, outputs }) => {
        let training: Record<string, unknown> = { queries_per_step: queries, group_size: groupSize };
        if (overSample !== null) training.groups = { over_sample: overSample };
        for (let mended = 0; ; mended += 1) {
          const [refused] = oversized(config(training, { max_turns: turns, outputs }));
          if (!refused) return;
          // Two keys can be wrong, and each is mended once.
          expect(mended).toBeLessThan(2);
          const most = Number(/fits is ([\d.]+)\.$/.exec(refused.message)?.[1]);
          training = refused.param.endsWith('over_sample')
            ? { ...training, groups: most > 1 ? { over_sample: most } : 'keep' }
            : { ...training, [refused.param.slice(9)]: most };
        }
      }),
    );
  });
});
