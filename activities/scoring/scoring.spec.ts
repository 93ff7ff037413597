import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { datasetsSection } from '../../infra/config/operator/datasets.js';
import { atlas } from '../datasets/atlas/atlas.dataset.js';
import { atlasTruth } from '../datasets/atlas/truth.js';
import { createTruthSource } from '../datasets/ground-truth.js';
import { ItemStore } from '../datasets/items/item-store.js';
import type { RunConfig } from '../../contracts/run-config.js';
import type { Judge } from './judge/judge.js';
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
    const rulings = ([undefined, 'rules-1', 'rules-2', 'rules-3'] as const).map(async (rules) => {
      const { grading } = await scoreAnswer({ flow, query: training, answer, rules });
      return grading?.rules;
    });
    expect(await Promise.all(rulings)).toEqual(['wrong', 'wrong', 'right', 'right']);
    const identityBy = (scoring: object, name: string) =>
      rewardIdentity({ dataset: { name }, flow: { scoring } } as unknown as RunConfig);
    expect(identityBy({}, 'nq')).toBe('rules-1');
    expect(identityBy({}, 'atlas')).toBe('exact-number-1');
    expect(identityBy({ rules: 'rules-2' }, 'nq')).toBe('rules-2');
    expect(identityBy({ rules: 'rules-2' }, 'atlas')).toBe('exact-number-2');
    expect(identityBy({ rules: 'rules-3' }, 'nq')).toBe('rules-3');
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

  it('I8: has another identity where texts are rewarded by F1, and the one of before where they are not', () => {
    const by = (scoring: object, name = 'nq') =>
      rewardIdentity({ dataset: { name }, flow: { scoring: { rules: 'rules-2', ...scoring } } } as RunConfig);
    expect(by({ reward: 'exact' })).toBe('rules-2');
    expect(by({ reward: 'f1' })).toBe('rules-2, F1 of texts');
    expect(by({ reward: 'f1', undecided: 'exclude' })).toBe('rules-2 without undecided answers, F1 of texts');
    expect(by({ reward: 'f1' }, 'atlas')).toBe(by({}, 'atlas'));
  });

  it('fails with NotFound for a dataset or question that does not exist', async () => {
    const query = { ...training, dataset: { name: 'toString', seed: 7 } };
    await expect(scoreAnswer({ flow, query, answer: '' })).rejects.toThrow(
      expect.objectContaining({ type: 'NotFound' }),
    );
  });
});

describe('scoreAnswer of a run that is rewarded by F1', () => {
  const directory = mkdtempSync(join(tmpdir(), 'scoring-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  function registered(name: string, answers: string, truth: string): object {
    const path = join(directory, `${name}.json`);
    writeFileSync(path, JSON.stringify([{ id: 1, q: `What of ${name}?`, a: truth }]));
    return { [name]: { path, columns: { question: 'q', answer: 'a', id: 'id' }, answers } };
  }

  const datasets = datasetsSection.parse({
    ...registered('painter', 'text', 'Ida Holm'),
    ...registered('year', 'text', '1932'),
    ...registered('side', 'text', 'yes'),
    ...registered('sum', 'number', '204'),
  });
  const judge = jest.fn<Judge['judge']>(async () => ({ equivalent: true, reason: 'so' }));
  const { scoreAnswer } = createScoringActivities({
    truthOf: createTruthSource(new ItemStore(datasets)),
    judge: { judge },
  });
  const train = { flowId: 'f', runId: 'r', runSeed: 1, purpose: 'train' as const, step: 1, group: 0, rollout: 0 };
  const byF1 = { rules: 'rules-2', reward: 'f1' } as const;
  const judged = { model: 'm', check: 0, max_tokens: 9, timeout_s: 9 };
  const score = (name: string, answer: string, more: object = byF1) => {
    const query = { id: `${name}:1`, dataset: { name, seed: 7 }, family: name, question: `What of ${name}?` };
    return scoreAnswer({ flow: train, query, answer, ...more });
  };

  it.each<[dataset: string, answer: string, reward: number]>([
    ['painter', 'Ida Holm', 1],
    ['painter', 'The answer is **Ida Holm**.', 1],
    ['painter', 'Ida', 2 / 3],
    ['painter', '<answer>Ida Maria Holm</answer>', 4 / 5],
    ['painter', 'Holm, Ida', 1],
    ['painter', 'Bergen', 0],
    ['painter', '', 0],
    // The rules decide these, and F1 does not: half of the words is right, or none.
    ['side', 'Yes, they were both born in Oslo.', 1],
    ['side', 'no', 0],
    ['year', '-1932', 0],
    ['year', 'in 1932', 2 / 3],
  ])('of %s, %j is worth %d', async (name, answer, reward) => {
    const { reward: given, grading } = await score(name, answer);
    expect(given).toBeCloseTo(reward, 12);
    expect(grading?.rewardF1).toEqual(grading?.rules === 'undecided' ? given : undefined);
  });

  it('says the F1 and, of a training question, the truth', async () => {
    expect((await score('painter', 'Ida')).reason).toBe('Ida has an F1 of 0.667: it is Ida Holm');
  });

  it('rewards texts alone so: of other answers the ruling counts', async () => {
    expect(await score('sum', '204 or 205')).toMatchObject({ reward: 0, grading: { rules: 'undecided' } });
    expect(await score('sum', 'It takes 204 minutes.')).toMatchObject({ reward: 1 });
  });

  it('neither asks a judge about texts nor leaves them out, and does both of other answers', async () => {
    judge.mockClear();
    expect(await score('painter', 'Ida', { ...byF1, undecided: 'exclude' })).toMatchObject({ reward: 2 / 3 });
    expect(await score('painter', 'Ida', { ...byF1, judge: judged })).toMatchObject({ reward: 2 / 3 });
    expect(judge).not.toHaveBeenCalled();
    expect((await score('sum', '204 or 205', { ...byF1, undecided: 'exclude' })).reward).toBeUndefined();
    expect(await score('sum', '204 or 205', { ...byF1, judge: judged })).toMatchObject({ reward: 1 });
    expect(judge).toHaveBeenCalledTimes(1);
  });

  it('scores held-out questions by the ruling and the judge alone', async () => {
    const flow = { flowId: 'f', runId: 'r', runSeed: 1, purpose: 'evaluation' as const, step: 1, question: 0 };
    expect(await score('painter', 'Ida', { ...byF1, flow })).toMatchObject({ reward: 0 });
    expect(await score('painter', 'Ida', { ...byF1, flow, judge: judged })).toMatchObject({ reward: 1 });
  });

  it('is as it was where the configuration says exact, or nothing', async () => {
    for (const reward of ['exact', undefined] as const) {
      const { reward: given, grading } = await score('painter', 'Ida', { ...byF1, reward });
      expect([given, grading]).toEqual([0, { rules: 'undecided', rule: 'text', f1: 2 / 3 }]);
    }
  });
});
