import { describe, expect, it } from '@jest/globals';
import { runConfigSchema } from '../../contracts/run-config.js';
import { describeStepSize, stepSize } from './step-size.js';

describe(stepSize, () => {
  it.each([
    [
      { training: { queries_per_step: 8, group_size: 8 }, flow: { max_turns: 2 } },
      { groups: 8, draws: 8, rollouts: 64, turns: 128, updates: 1 },
      '8 groups, 64 rollouts, at most 128 turns, 1 update',
    ],
    [
      { training: { queries_per_step: 3, group_size: 4, groups: { over_sample: 2.5 }, epochs: 2, mini_batches: 3 } },
      { groups: 3, draws: 7, rollouts: 28, turns: 56, updates: 6 },
      '3 groups, at most 7 drawn, at most 28 rollouts, at most 56 turns, 6 updates',
    ],
    [
      { training: { objective: 'sft', samples_per_step: 32, trajectories: { run: 'teacher' } } },
      { samples: 32, updates: 1 },
      '32 recorded turns, 1 update',
    ],
  ])('of %j', (config, size, words) => {
    const found = stepSize(runConfigSchema.parse({ model: 'm', steps: 1, ...config }));
    expect(found).toEqual(size);
    expect(describeStepSize(found)).toBe(words);
  });
});
