import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { atlas } from '../datasets/atlas/atlas.dataset.js';
import { atlasTruth } from '../datasets/atlas/truth.js';
import { createTruthSource } from '../datasets/ground-truth.js';
import { ItemStore } from '../datasets/items/item-store.js';
import { scoreExactNumber } from './exact-number.js';
import { createScoringActivities } from './scoring.activities.js';

describe('scoreExactNumber', () => {
  it.each([
    ['4312', 4312, 1],
    [' 4,312. ', 4312, 1],
    ['4312.00', 4312, 1],
    ['+007', 7, 1],
    ['-12', -12, 1],
    ['-0', 0, 1],
    ['2.50', 2.5, 1],
    ['4312', 4313, 0],
    ['12', -12, 0],
    ['43,12', 4312, 0],
    ['4312 km', 4312, 0],
    ['unknown', 0, 0],
    ['', 0, 0],
    ['NaN', 0, 0],
  ])('%j against %d: %d', (answer, truth, reward) => {
    expect(scoreExactNumber(answer, truth)).toBe(reward);
  });

  it('rewards exactly the equal integers, however they are written', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        expect(scoreExactNumber(a.toLocaleString('en-US'), a)).toBe(1);
        expect(scoreExactNumber(`${a}.0`, b)).toBe(a === b ? 1 : 0);
      }),
    );
  });
});

describe('scoreAnswer', () => {
  const { scoreAnswer } = createScoringActivities({
    truthOf: createTruthSource(new ItemStore({ atlas: { kind: 'made' } })),
  });
  const dataset = { name: 'atlas', seed: 7 };
  const flow = { flowId: 'f', runId: 'r', runSeed: 1, purpose: 'train' as const, step: 1, group: 0, rollout: 0 };
  const [training] = atlas.draw({ runSeed: 1, step: 1, first: 0, count: 1, dataset });
  const [heldOut] = atlas.evaluation({ dataset, offset: 0, count: 1 });

  it('rewards the truth and explains a miss', async () => {
    const truth = String(atlasTruth(training.id).answer);
    expect(await scoreAnswer({ flow, query: training, answer: truth })).toEqual({
      reward: 1,
      reason: `${truth} is right`,
      grading: { rules: 'right', rule: 'exact-number' },
    });
    const miss = await scoreAnswer({ flow, query: training, answer: 'unknown' });
    expect(miss).toMatchObject({ reward: 0, reason: `unknown is wrong: it is ${truth}` });
  });

  it('never shows the truth of a held-out question', async () => {
    const { reason } = await scoreAnswer({ flow, query: heldOut, answer: 'unknown' });
    expect(reason).not.toContain(String(atlasTruth(heldOut.id).answer));
  });

  it('fails with NotFound for a dataset or question that does not exist', async () => {
    const query = { ...training, dataset: { name: 'toString', seed: 7 } };
    await expect(scoreAnswer({ flow, query, answer: '' })).rejects.toThrow(
      expect.objectContaining({ type: 'NotFound' }),
    );
  });
});
