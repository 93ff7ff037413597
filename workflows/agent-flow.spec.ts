import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { query, scriptedActivities, type ScriptedActivities } from '../test/support/scripted-activities.js';
import { TEST_SETTINGS, WorkflowHarness } from '../test/support/workflow-harness.js';
import type { AgentActivities, PlanTurnInput } from '../contracts/agent-activities.js';
import { FailureType } from '../contracts/failures.js';
import type { SetFlowStatusInput } from '../contracts/submitted-flow.js';
import type { AgentFlowInput, AgentFlowResult } from '../contracts/flow.js';
import { runConfigSchema } from '../contracts/run-config.js';
import { AGENT_TASK_QUEUE } from '../contracts/task-queues.js';

jest.setTimeout(120_000);

describe('agentFlow', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  }, 120_000);
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  async function run(
    agent: Partial<AgentActivities> = {},
    change: Partial<AgentFlowInput> = {},
  ): Promise<{ result: AgentFlowResult; calls: ScriptedActivities['calls'] }> {
    const activities = scriptedActivities({ agent });
    await harness.work(activities);
    const input = { ...flowInput(), ...change };
    const result = await harness.client.workflow.execute('agentFlow', {
      taskQueue: AGENT_TASK_QUEUE,
      workflowId: input.flow.flowId,
      args: [input],
    });
    return { result: result as AgentFlowResult, calls: activities.calls };
  }

  it('answers when the verifier says STOP, and scores the answer', async () => {
    const { result, calls } = await run();
    expect(result).toMatchObject({ outcome: 'answered', answer: '2', reward: 0, turns: 1, tools: ['calculator'] });
    expect(calls.rollouts).toHaveLength(1);
  });

  it('spends its turn budget, and tells the planner its remaining turns', async () => {
    const { result, calls } = await run({ verifyTurn: () => Promise.resolve(CONTINUE) });
    expect(result).toMatchObject({ outcome: 'budget_spent', turns: 2, reward: 0 });
    expect(calls.plans.map((plan) => plan.turnsLeft)).toEqual([2, 1]);
    expect(calls.plans[1].memory).toMatchObject([{ turn: 1, tool: 'calculator', result: '2', verdict: 'CONTINUE' }]);
  });

  it('spends its time budget on successful calls only', async () => {
    const config = { ...flowInput().config, time_budget_s: 5 };
    const { result } = await run(
      {
        verifyTurn: () => Promise.resolve(CONTINUE),
        executeTurn: () => Promise.resolve({ command: '', result: '2', seconds: 6 }),
      },
      { config },
    );
    expect(result).toMatchObject({ outcome: 'budget_spent', turns: 1 });
  });

  it('remembers an unreadable plan as the planner’s mistake, without calling a tool', async () => {
    const plans: PlanTurnInput[] = [];
    let executed = 0;
    const { result, calls } = await run({
      planTurn: (input) => {
        plans.push(input);
        return Promise.resolve({
          text: '?',
          mistake: 'no tool named',
          mistakeKind: 'unreadable_plan',
          finishReason: 'stop',
          sampledTokens: 1,
          seconds: 0,
        });
      },
      executeTurn: () => {
        executed += 1;
        return Promise.resolve({ command: '', result: '', seconds: 0 });
      },
      verifyTurn: () => Promise.resolve(CONTINUE),
    });
    expect(result).toMatchObject({ outcome: 'unparsable_plan', tools: ['none', 'none'], reward: 0 });
    expect(executed).toBe(0);
    expect(plans[1].memory[0]).toMatchObject({ mistake: 'no tool named', mistakeKind: 'unreadable_plan' });
    expect(calls.rollouts[0].memory).toHaveLength(2);
  });

  it('scores a rollout whose own turns filled the context', async () => {
    const { result } = await run({
      planTurn: (input) => (input.turn === 1 ? scriptedActivities().agent.planTurn(input) : Promise.reject(tooLong())),
      verifyTurn: () => Promise.resolve(CONTINUE),
    });
    expect(result).toMatchObject({ outcome: 'context_filled', turns: 1, reward: 0 });
  });

  it('I2: excludes a rollout whose first prompt does not fit, without a reward', async () => {
    const { result } = await run({ planTurn: () => Promise.reject(tooLong()) });
    expect(result.outcome).toBe('prompt_too_long');
    expect(result.reward).toBeUndefined();
  });

  it('excludes a rollout about whose answer nobody could decide, and keeps what was said', async () => {
    const grading = { rules: 'undecided', rule: 'text' } as const;
    const { result, calls } = await run({
      scoreAnswer: () => Promise.resolve({ reason: 'no rule can tell', grading }),
    });
    expect(result).toMatchObject({ outcome: 'undecided', answer: '2', grading });
    expect(result.reward).toBeUndefined();
    expect(calls.rollouts[0].result).toEqual(result);
  });

  it.each(['exact', 'f1'] as const)('has its answer scored by the reward of its run: %s', async (reward) => {
    const { config } = flowInput();
    const asked: unknown[] = [];
    const { result } = await run(
      {
        scoreAnswer: (input) => {
          asked.push(input.reward);
          return Promise.resolve({ reward: 2 / 3, reason: 'partly' });
        },
      },
      { config: { ...config, scoring: { ...config.scoring, reward } } },
    );
    expect(asked).toEqual([reward]);
    expect(result).toMatchObject({ outcome: 'answered', reward: 2 / 3 });
  });

  it('scores a rollout that the planner spoilt, also where nobody could decide about its answer', async () => {
    const mistake = { text: '?', mistake: 'no tool named', mistakeKind: 'unreadable_plan' as const };
    const { result } = await run({
      scoreAnswer: () => Promise.resolve({ reason: 'no rule can tell' }),
      planTurn: () => Promise.resolve({ ...mistake, finishReason: 'stop', sampledTokens: 1, seconds: 0 }),
      verifyTurn: () => Promise.resolve(CONTINUE),
    });
    expect(result).toMatchObject({ outcome: 'unparsable_plan', reward: 0 });
  });

  it('I2: retries infrastructure, and past all patience excludes the rollout without a reward', async () => {
    let attempts = 0;
    const { result } = await run(
      {
        planTurn: () => {
          attempts += 1;
          return Promise.reject(new Error('connection refused'));
        },
      },
      { settings: { ...TEST_SETTINGS, patience_s: 6 } },
    );
    expect(result.outcome).toBe('infrastructure');
    expect(result.reward).toBeUndefined();
    expect(attempts).toBeGreaterThan(1);
  });

  it('tells who asked which call kept the flow from an answer, and what it failed with', async () => {
    const told: SetFlowStatusInput[] = [];
    const { flow } = flowInput();
    await run(
      {
        planTurn: () => Promise.reject(new Error('connection refused')),
        setFlowStatus: async (input) => void told.push(input),
      },
      { flow: { ...flow, purpose: 'ask' }, settings: { ...TEST_SETTINGS, patience_s: 6 } },
    );
    expect(told.at(-1)?.failure?.message).toMatch(/^A call went on failing .*planTurn: connection refused$/);
  });

  it('tells who asked that a call never answered', async () => {
    const told: SetFlowStatusInput[] = [];
    const { flow } = flowInput();
    let stop: () => void = () => undefined;
    await run(
      {
        planTurn: () => new Promise((_, reject) => (stop = () => reject(new Error('stopped')))),
        setFlowStatus: async (input) => void told.push(input),
      },
      { flow: { ...flow, purpose: 'ask' }, settings: { ...TEST_SETTINGS, patience_s: 6 } },
    );
    stop();
    expect(told.at(-1)?.failure?.message).toMatch(
      /^A call went on failing .*planTurn: no answer until patience was over/,
    );
  });

  it('I2: keeps a rollout whose record cannot be written for longer than patience', async () => {
    const patience_s = 1;
    let since: number | undefined;
    const { result } = await run(
      {
        recordRollout: () => {
          since ??= Date.now();
          const overPatience = Date.now() - since > 3 * patience_s * 1000;
          return overPatience ? Promise.resolve() : Promise.reject(new Error('connection refused'));
        },
      },
      { settings: { ...TEST_SETTINGS, patience_s } },
    );
    expect(result.flowId).toMatch(/^run-/);
  });

  it('fails on what no retry can mend', async () => {
    const failing = run({
      planTurn: () => Promise.reject(ApplicationFailure.nonRetryable('no such model', FailureType.BadConfiguration)),
    });
    await expect(failing).rejects.toThrow('Workflow execution failed');
  });
});

const CONTINUE = { verdict: 'CONTINUE' as const, critique: 'not yet', seconds: 0 };
const tooLong = () =>
  ApplicationFailure.nonRetryable('prompt of 3000 tokens, context of 2048', FailureType.PromptTooLong);

function flowInput(): AgentFlowInput {
  const runId = `run-${randomUUID()}`;
  return {
    flow: { flowId: `${runId}/1/0/0`, runId, runSeed: 0, purpose: 'train', step: 1, group: 0, rollout: 0 },
    query: query('q'),
    model: 'tiny-random',
    config: runConfigSchema.parse({ model: 'tiny-random', steps: 1 }).flow,
    policy: { name: `${runId}@0`, sha256: '0'.repeat(64) },
    greedy: false,
    score: true,
    settings: TEST_SETTINGS,
  };
}
