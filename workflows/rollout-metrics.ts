import type { RolloutGroupResult } from '../contracts/training-run.js';
import { isScored } from './outcomes.js';

/** What a step's rollouts looked like; excluded ones are counted, not hidden (I2). */
export interface RolloutMetrics {
  rollouts_scored: number;
  /** By outcome. */
  rollouts_excluded: Record<string, number>;
  mean_turns: number;
  /** Turns by tool; `none` for plans that could not be read. */
  tool_mix: Record<string, number>;
}

export function rolloutMetrics(groups: RolloutGroupResult[]): RolloutMetrics {
  const rollouts = groups.flatMap((group) => group.rollouts);
  const scored = rollouts.filter(isScored);
  const turns = scored.reduce((sum, rollout) => sum + rollout.turns, 0);
  return {
    rollouts_scored: scored.length,
    rollouts_excluded: count(rollouts.filter((rollout) => !isScored(rollout)).map(({ outcome }) => outcome)),
    mean_turns: scored.length === 0 ? 0 : turns / scored.length,
    tool_mix: count(scored.flatMap(({ tools }) => tools)),
  };
}

function count(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
