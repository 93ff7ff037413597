import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { atlas } from '../datasets/atlas/atlas.dataset.js';
import { atlasTruth } from '../datasets/atlas/truth.js';
import { createTruthSource } from '../datasets/ground-truth.js';
import { ItemStore } from '../datasets/items/item-store.js';
import type { RunConfig } from '../../contracts/run-config.js';
import { rewardIdentity } from './reward-identity.js';
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

  it('goes by the rules that a run began with, the first where it names none', async () => {
    const answer = `**${atlasTruth(training.id).answer}**`;
    const rulings = ([undefined, 'rules-1', 'rules-2'] as const).map(async (rules) => {
      const { grading } = await scoreAnswer({ flow, query: training, answer, rules });
      return grading?.rules;
    });
    expect(await Promise.all(rulings)).toEqual(['wrong', 'wrong', 'right']);
    const identityBy = (scoring: object, name: string) =>
      rewardIdentity({ dataset: { name }, flow: { scoring } } as unknown as RunConfig);
    expect(identityBy({}, 'nq')).toBe('rules-1');
    expect(identityBy({}, 'atlas')).toBe('exact-number-1');
    expect(identityBy({ rules: 'rules-2' }, 'nq')).toBe('rules-2');
    expect(identityBy({ rules: 'rules-2' }, 'atlas')).toBe('exact-number-2');
  });

  it('I8: has another identity only where undecided answers have another reward', () => {
    const judge = { model: 'large', max_tokens: 100 };
    const by = (scoring: object) =>
      rewardIdentity({ dataset: { name: 'nq' }, flow: { scoring: { rules: 'rules-2', ...scoring } } } as RunConfig);
    expect(by({ undecided: 'wrong' })).toBe(by({}));
    expect(by({ undecided: 'judge', judge })).toBe(by({ judge }));
    expect(by({ undecided: 'wrong', judge })).toBe(by({}));
    expect(by({ undecided: 'exclude', judge })).toBe(by({ undecided: 'exclude' }));
    expect(new Set([by({}), by({ judge }), by({ undecided: 'exclude' })]).size).toBe(3);
  });

  it('fails with NotFound for a dataset or question that does not exist', async () => {
    const query = { ...training, dataset: { name: 'toString', seed: 7 } };
    await expect(scoreAnswer({ flow, query, answer: '' })).rejects.toThrow(
      expect.objectContaining({ type: 'NotFound' }),
    );
  });
});
