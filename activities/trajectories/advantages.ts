import type { EntityManager } from 'typeorm';
import type { BatchHeader } from '../../contracts/agent-activities.js';
import type { RolloutTraining } from '../../contracts/training-config.js';
import type { BatchRow } from './batch-file.js';

/** What a step gives to every planner token of a rollout; null if a decision leaves its group out of the step. */
export interface RolloutAdvantage {
  group: number;
  rollout: number;
  advantage: number | null;
}

/** A group with a reward of its own for each rollout, and the same rewards once for each of their turns. */
interface Group {
  rewards: Map<number, number>;
  turnRewards: number[];
}

const EPSILON = 1e-6;

const ESTIMATORS: Record<RolloutTraining['advantage'], (reward: number, rewards: number[], turns: number[]) => number> =
  {
    trajectory: (reward, rewards) => normalised(reward, rewards),
    'turn-rows': (reward, _rewards, turns) => normalised(reward, turns),
    'no-std': (reward, rewards) => reward - mean(rewards),
    'leave-one-out': (reward, rewards) => reward - (sum(rewards) - reward) / (rewards.length - 1),
  };

/**
 * The advantages with which a batch trains, by the rule that its training names. They are for people: the trainer computes
 * its own from the batch (flow_grpo/trainer/advantage.py), in floats of 32 bits.
 */
export function advantagesOf(
  rows: readonly BatchRow[],
  { advantage: estimator }: Pick<RolloutTraining, 'advantage'>,
  { skipGroups, skipStep }: BatchHeader['decision'],
): RolloutAdvantage[] {
  return [...groupsOf(rows)].flatMap(([group, { rewards, turnRewards }]) => {
    const isSkipped = skipStep || skipGroups.includes(group);
    const all = [...rewards.values()];
    // Whatever rounding would make of the mean of equal numbers.
    const isFlat = all.every((reward) => reward === all[0]);
    return [...rewards].map(([rollout, reward]) => {
      const advantage = isFlat ? 0 : ESTIMATORS[estimator](reward, all, turnRewards);
      return { group, rollout, advantage: isSkipped ? null : advantage };
    });
  });
}

/** Writes them beside the rollouts of a step. */
export async function writeAdvantages(
  manager: EntityManager,
  { runId, step }: Pick<BatchHeader, 'runId' | 'step'>,
  advantages: readonly RolloutAdvantage[],
): Promise<void> {
  await manager.query(
    `UPDATE rollouts AS r SET advantage = a.advantage
     FROM unnest($3::int[], $4::int[], $5::float8[]) AS a (group_index, rollout_index, advantage)
     WHERE r.run_id = $1 AND r.purpose = 'train' AND r.step = $2
       AND r.group_index = a.group_index AND r.rollout_index = a.rollout_index`,
    [
      runId,
      step,
      advantages.map(({ group }) => group),
      advantages.map(({ rollout }) => rollout),
      advantages.map(({ advantage }) => advantage),
    ],
  );
}

function groupsOf(rows: readonly BatchRow[]): Map<number, Group> {
  const groups = new Map<number, Group>();
  for (const { group: index, rollout, reward } of rows) {
    const group = groups.get(index) ?? { rewards: new Map<number, number>(), turnRewards: [] };
    groups.set(index, group);
    group.rewards.set(rollout, reward);
    group.turnRewards.push(reward);
  }
  return groups;
}

/** (R - mean) / (std + 1e-6) over a pool, std with n - 1. */
function normalised(reward: number, pool: readonly number[]): number {
  const centre = mean(pool);
  const variance = sum(pool.map((value) => (value - centre) ** 2)) / (pool.length - 1);
  return (reward - centre) / (Math.sqrt(variance) + EPSILON);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
