import { describe, expect, it } from '@jest/globals';
import type { AgentFlowResult, Outcome } from '../contracts/flow.js';
import { rolloutMetrics } from './rollout-metrics.js';

function rollout(outcome: Outcome): AgentFlowResult {
  return { flowId: 'f', outcome, turns: 1, tools: ['lookup'] };
}

describe('the metrics of a step', () => {
  it('count excluded rollouts by outcome, those that nobody could decide too', () => {
    const outcomes: Outcome[] = ['answered', 'undecided', 'budget_spent', 'infrastructure', 'undecided'];
    expect(rolloutMetrics([{ group: 0, rollouts: outcomes.map(rollout) }])).toMatchObject({
      rollouts_scored: 2,
      rollouts_excluded: { undecided: 2, infrastructure: 1 },
      tool_mix: { lookup: 2 },
    });
  });
});
