import { describe, expect, it } from '@jest/globals';
import type { RunEvent } from '../client/api-types.js';
import { describeEvent } from './describe-event.js';

describe(describeEvent, () => {
  it.each([
    [
      'step.completed',
      { step: 3, policy_sha256: 'f'.repeat(64), metrics: { reward_mean: 0.515625, loss: -0.00012, entropy: 0 } },
      '10:11:12 #7     step.completed       step 3  reward 0.5156  loss -1.20e-4  entropy 0  policy ffffffffffff',
    ],
    [
      'evaluation.completed',
      { step: 0, planner: 'oracle', accuracy: 1, questions: 200, failed: 0, tool_mix: { lookup: 50, calculator: 150 } },
      '10:11:12 #7     evaluation.completed planner oracle after step 0  accuracy 1.000 of 200 questions  calculator 75 %, lookup 25 %',
    ],
    [
      'step.warned',
      { step: 3, warnings: [{ kind: 'undecided', message: '20 % of the answers are undecided.', examples: [] }] },
      '10:11:12 #7     step.warned          step 3  20 % of the answers are undecided.',
    ],
    ['run.paused', { status: 'paused', step: 2 }, '10:11:12 #7     run.paused           step 2'],
    ['something.new', { a: 1 }, '10:11:12 #7     something.new        {"a":1}'],
  ])('puts %s on one line', (type, data, line) => {
    const event: RunEvent = {
      id: '7',
      object: 'training_run.event',
      run_id: 'run',
      sequence: 7,
      type: type as RunEvent['type'],
      data,
      created_at: '2030-01-02T10:11:12.345Z',
    };
    expect(describeEvent(event)).toBe(line);
  });
});
