import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { Gate, startRun, until } from '../test/support/started-run.js';
import type { RolloutGroupResult } from '../contracts/training-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';

jest.setTimeout(120_000);

describe('rolloutGroup', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  }, 120_000);
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  it('I2: at its deadline excludes what is open, and records it', async () => {
    const gate = new Gate();
    const scripted = scriptedActivities();
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = async (input) => {
      if (input.flow.purpose === 'train' && input.flow.rollout === 1) await gate.passed();
      return planTurn(input);
    };
    const input = tinyRun(1, 1, { training: { queries_per_step: 1, group_size: 3 } });
    const settings = { ...input.settings, group_deadline_s: 5 };
    const { calls, result } = await startRun(harness, { ...input, settings }, scripted);
    await expect(result()).resolves.toMatchObject({ status: 'completed' });
    gate.open();
    const open = calls.rollouts.filter(({ flow }) => flow.purpose === 'train' && flow.rollout === 1);
    expect(open.map(({ result: { outcome, reward } }) => [outcome, reward])).toEqual([['group_deadline', undefined]]);
    // I6: the run is told no answers, which a large group's result had no room for.
    const { rollouts } = (await harness.client.workflow.getHandle(`${input.runId}/1/0`).result()) as RolloutGroupResult;
    expect(rollouts[0]).toEqual({
      flowId: `${input.runId}/1/0/0`,
      outcome: 'answered',
      reward: 0,
      turns: 1,
      tools: ['calculator'],
    });
  });

  it('I2: its deadline does not come nearer while it is held', async () => {
    const gate = new Gate();
    const scripted = scriptedActivities();
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = async (input) => {
      if (input.flow.purpose === 'train') await gate.passed();
      return planTurn(input);
    };
    const input = tinyRun(1);
    const { handle, result } = await startRun(harness, input, scripted);
    await gate.someoneWaits();
    const group = harness.client.workflow.getHandle(`${input.runId}/1/0`);
    await handle.executeUpdate('pause', { args: [{ now: true }] });
    await until(async () => (await timers(group)).cancelled === 1);
    gate.open();
    await handle.executeUpdate('resume');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    const { started, fired } = await timers(group);
    expect(fired).toBe(0);
    expect(started).toHaveLength(2);
    expect(started[1]).toBeLessThan(started[0]);
  });
});

/** Of a workflow's history: the milliseconds of each timer, and how many were cancelled or fired. */
async function timers(handle: WorkflowHandle) {
  const { events } = await handle.fetchHistory();
  const attributes = (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) => timer ?? []);
  return {
    started: attributes.map(({ startToFireTimeout: time }) => Number(time?.seconds) * 1000 + (time?.nanos ?? 0) / 1e6),
    cancelled: (events ?? []).filter((event) => event.timerCanceledEventAttributes).length,
    fired: (events ?? []).filter((event) => event.timerFiredEventAttributes).length,
  };
}
