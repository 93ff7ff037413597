import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { RolloutTraining } from '../../contracts/training-config.js';
import { advantagesOf } from './advantages.js';
import type { BatchRow } from './batch-file.js';

/** Groups, rollouts, turns and rewards, and what follows from them; the trainer's tests read the same file. */
const cases = JSON.parse(readFileSync(join(import.meta.dirname, 'testing/advantages.json'), 'utf8')) as {
  rows: [group: number, rollout: number, turn: number, reward: number][];
  advantages: Record<RolloutTraining['advantage'], [group: number, rollout: number, advantage: number][]>;
};
const rows = cases.rows.map(([group, rollout, turn, reward]) => ({ group, rollout, turn, reward }) as BatchRow);
const undecided = { skipGroups: [], skipStep: false };

describe('advantagesOf', () => {
  it.each(Object.entries(cases.advantages))('%s: gives what the trainer is tested to give', (name, expected) => {
    const found = advantagesOf(rows, { advantage: name as RolloutTraining['advantage'] }, undecided);
    expect(found.map(({ group, rollout }) => [group, rollout])).toEqual(expected.map(([g, r]) => [g, r]));
    for (const [place, { advantage }] of found.entries()) expect(advantage).toBeCloseTo(expected[place][2], 12);
  });

  it('gives none where a decision leaves out the group or the step', () => {
    const given = (decision: { skipGroups: number[]; skipStep: boolean }) =>
      advantagesOf(rows, { advantage: 'no-std' }, decision).filter(({ advantage }) => advantage !== null);
    expect(new Set(given({ skipGroups: [0, 4], skipStep: false }).map(({ group }) => group))).toEqual(new Set([1, 2]));
    expect(given({ skipGroups: [], skipStep: true })).toEqual([]);
  });
});
