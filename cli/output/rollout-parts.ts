import type { Rollout } from '../client/api-types.js';
import { formatNumber } from './format.js';

/** Something that is told of a rollout: of a turn if `turn` is there. */
export interface RolloutPart {
  turn?: number;
  name: 'question' | 'policy' | 'plan' | 'call' | 'result' | 'mistake' | 'verdict' | 'answer' | 'outcome' | Value;
  text: string;
}

type Value = 'reward' | 'advantage';

/** What is told of a rollout, in the order in which it happened. */
export function partsOf(rollout: Rollout): RolloutPart[] {
  const { memory, outcome } = rollout;
  return [
    { name: 'question', text: rollout.question },
    { name: 'policy', text: rollout.policy ?? 'none of a run' },
    ...memory.flatMap(turnParts),
    { name: 'answer', text: rollout.answer ?? 'none' },
    { name: 'outcome', text: outcome },
    { name: 'reward', text: valueOf(rollout.reward) },
    { name: 'advantage', text: valueOf(rollout.advantage) },
  ];
}

export function valueOf(value: number | null): string {
  return value === null ? '-' : formatNumber(value);
}

function turnParts({ turn, ...entry }: Rollout['memory'][number]): RolloutPart[] {
  const told: [RolloutPart['name'], string | undefined][] = [
    ['plan', entry.tool && `${entry.tool}: ${entry.subGoal ?? ''}`],
    ['call', entry.command],
    ['result', entry.result],
    ['mistake', entry.mistake],
    ['verdict', `${entry.verdict}: ${entry.critique}`],
  ];
  return told.flatMap(([name, text]) => (text === undefined ? [] : [{ turn, name, text }]));
}
