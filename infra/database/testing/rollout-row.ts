import type { Rollout } from '../entities/index.js';

/** A finished rollout of the first group of a step, to insert in tests. */
export function rolloutRow(
  runId: string,
  step: number,
  rollout: number,
  overrides: Partial<Rollout> = {},
): Partial<Rollout> {
  return {
    flowId: `${runId}/${step}/0/${rollout}`,
    submissionId: runId,
    purpose: 'train',
    step,
    groupIndex: 0,
    rolloutIndex: rollout,
    queryId: 'atlas/7/train/1',
    family: 'arithmetic',
    question: 'What is 1 plus 1?',
    outcome: 'answered',
    reward: 1,
    answer: '2',
    turns: 1,
    tools: ['calculator'],
    memory: [],
    policyName: `${runId}@${step - 1}`,
    policySha256: 'ab',
    ...overrides,
  };
}
