import { describe, expect, it } from '@jest/globals';
import type { FlowRef } from '../../contracts/flow.js';
import { callSeed } from './call-seed.js';

const flow: FlowRef = { flowId: 'r/1/2/3', runId: 'r', runSeed: 9, purpose: 'train', step: 1, group: 2, rollout: 3 };

describe('callSeed', () => {
  it('is the recorded value for these coordinates: a change would change every run (I5)', () => {
    expect(callSeed(flow, 1)).toBe('5033957491380389959');
  });

  it('depends on every coordinate and on nothing else', () => {
    const others = [
      { ...flow, runSeed: 8 },
      { ...flow, purpose: 'evaluation' as const },
      { ...flow, step: 2 },
      { ...flow, group: 3 },
      { ...flow, rollout: 2 },
    ];
    const seeds = [callSeed(flow, 1), callSeed(flow, 2), ...others.map((other) => callSeed(other, 1))];
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(callSeed({ ...flow, runId: 'other', flowId: 'other' }, 1)).toBe(callSeed(flow, 1));
  });

  it('is the same however the input of a flow names its place: old workflows go on (I5, I9)', () => {
    const { flowId, runId, runSeed } = flow;
    const of = (purpose: 'evaluation' | 'ask', step: number, group: number, rollout: number) =>
      callSeed({ flowId, runId, runSeed, purpose, step, group, rollout }, 1);
    const common = { flowId, runId, runSeed };
    expect(callSeed({ ...common, purpose: 'evaluation', step: 4, question: 7 }, 1)).toBe(of('evaluation', 4, 7, 0));
    expect(callSeed({ ...common, purpose: 'evaluation', cell: 4, question: 7, trial: 2 }, 1)).toBe(
      of('evaluation', 4, 7, 2),
    );
    expect(callSeed({ ...common, purpose: 'ask' }, 1)).toBe(of('ask', 0, 0, 0));
  });
});
