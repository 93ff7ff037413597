import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { Gate, progress, startRun, until, untilStatus, untilStep } from '../test/support/started-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import { FailureType } from '../contracts/failures.js';
import { searchAttributes } from '../contracts/search-attributes.js';
import { placeOf } from '../contracts/flow.js';

jest.setTimeout(120_000);

describe('trainingRun', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  }, 120_000);
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  const start = (steps: number, scripted = scriptedActivities(), queries = 1) =>
    startRun(harness, tinyRun(steps, queries), scripted);

  it('I11: takes every step on the policy of the step before', async () => {
    const { calls, result } = await start(3);
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 3 });
    expect(calls.batches.map((batch) => batch.policy.name.split('@')[1])).toEqual(['0', '1', '2']);
    expect(calls.steps.map(({ step, parent_sha256 }) => [step, parent_sha256])).toEqual(
      calls.batches.map((batch) => [batch.step, batch.policy.sha256]),
    );
    for (const plan of calls.plans.filter(({ flow }) => flow.purpose === 'train')) {
      expect(plan.policy?.name.endsWith(`@${placeOf(plan.flow).step - 1}`)).toBe(true);
    }
    expect(calls.statuses.map(({ status }) => status)).toEqual(['running', 'completed']);
  });

  it('an evaluation can be found by the benchmark that it asks, not by the data of the run', async () => {
    const evaluation = { questions: 2, yardsticks: false, dataset: { name: 'game24' } };
    const input = tinyRun(1, 1, { evaluation });
    const { result } = await startRun(harness, input, scriptedActivities());
    await result();
    const found = await harness.client.workflow.getHandle(`${input.runId}/eval/0/policy`).describe();
    expect(found.typedSearchAttributes.get(searchAttributes.benchmark)).toBe('game24');
  });

  it('pauses at a step boundary, twice is once, and resumes', async () => {
    const { handle, calls, result } = await start(40);
    await untilStep(handle, 1);
    expect(await handle.executeUpdate('pause', { args: [{}] })).toBe('pausing');
    expect(await handle.executeUpdate('pause', { args: [{}] })).toMatch(/^paus/);
    await untilStatus(handle, 'paused');
    const { step } = await progress(handle);
    const batches = calls.batches.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(calls.batches).toHaveLength(batches);
    expect(calls.batches.at(-1)?.step).toBe(step);
    expect(await handle.executeUpdate('resume')).toBe('running');
    expect(await handle.executeUpdate('resume')).toBe('running');
    await handle.executeUpdate('stopAfterStep');
    await expect(result()).resolves.toMatchObject({ status: 'completed' });
    expect(calls.statuses.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
    const statuses = calls.statuses.map(({ status }) => status);
    // The last but one keeps that the run is to stop.
    expect(statuses).toEqual(['running', 'pausing', 'paused', 'running', 'running', 'completed']);
  });

  it('pause now: rollouts stop before their next activity, and finish after resume', async () => {
    const gate = new Gate();
    const scripted = scriptedActivities();
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = async (input) => {
      if (input.flow.purpose === 'train') await gate.passed();
      return planTurn(input);
    };
    let executions = 0;
    const { executeTurn } = scripted.agent;
    scripted.agent.executeTurn = (input) => {
      if (input.flow.purpose === 'train') executions += 1;
      return executeTurn(input);
    };
    const { handle, result } = await start(1, scripted);
    await gate.someoneWaits();
    await handle.executeUpdate('pause', { args: [{ now: true }] });
    await new Promise((resolve) => setTimeout(resolve, 500));
    gate.open();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(executions).toBe(0);
    await handle.executeUpdate('resume');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    expect(executions).toBe(2);
  });

  it('cancel: the last finished step becomes a checkpoint, and nothing is counted as failed', async () => {
    const { handle, calls, result } = await start(1000);
    await untilStep(handle, 2);
    await handle.cancel();
    const { status, step } = await result();
    expect(status).toBe('cancelled');
    expect(calls.checkpoints.at(-1) ?? step).toBe(step);
    expect(calls.statuses.map((entry) => entry.status).slice(-2)).toEqual(['cancelling', 'cancelled']);
    expect(calls.rollouts.every(({ result: { outcome } }) => outcome === 'answered')).toBe(true);
    await expect(handle.executeUpdate('resume')).rejects.toThrow();
  });

  it('extends an unfinished run, and never shortens it', async () => {
    const { handle, result } = await start(2);
    for (const steps of [1, 2.5, 1_000_001]) {
      await expect(handle.executeUpdate('extend', { args: [steps] })).rejects.toThrow();
    }
    expect(await handle.executeUpdate('extend', { args: [4] })).toBe(4);
    await expect(result()).resolves.toMatchObject({ step: 4 });
  });

  it.each([FailureType.NonFiniteLoss, FailureType.StepDiverged, FailureType.ReplayDiverged])(
    'pauses on %s with the reason, keeps the policy, and tries again on resume',
    async (type) => {
      let broken = true;
      const scripted = scriptedActivities();
      const { trainStep } = scripted.trainer;
      scripted.trainer.trainStep = (request) =>
        broken ? Promise.reject(ApplicationFailure.nonRetryable('group 1', type)) : trainStep(request);
      const { handle, calls, result } = await start(1, scripted);
      await untilStatus(handle, 'paused');
      expect(await progress(handle)).toMatchObject({ step: 0, failure: { type, message: 'group 1' } });
      await until(() => Promise.resolve(calls.statuses.at(-1)?.status === 'paused'));
      expect(calls.statuses.at(-1)).toMatchObject({ failure: { type } });
      broken = false;
      await handle.executeUpdate('resume');
      await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    },
  );

  it('after a failure in one group waits for the others, so that resume can take the step again', async () => {
    let broken = true;
    const scripted = scriptedActivities();
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = async (input) => {
      const { group } = placeOf(input.flow);
      const { purpose } = input.flow;
      if (purpose === 'train' && group === 0 && broken) {
        throw ApplicationFailure.nonRetryable('no such tool', FailureType.BadConfiguration);
      }
      if (purpose === 'train') await new Promise((resolve) => setTimeout(resolve, 1000));
      return planTurn(input);
    };
    const { handle, result } = await start(1, scripted, 2);
    await untilStatus(handle, 'paused');
    broken = false;
    await handle.executeUpdate('resume');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
  });

  it.each(['terminate', 'cancel'] as const)('pauses when somebody calls %s on a part of it', async (end) => {
    const gate = new Gate();
    const scripted = scriptedActivities();
    const { planTurn } = scripted.agent;
    let waiting = '';
    scripted.agent.planTurn = async (input) => {
      if (input.flow.purpose === 'evaluation') {
        waiting = input.flow.flowId;
        await gate.passed();
      }
      return planTurn(input);
    };
    const { handle, calls, result } = await startRun(harness, tinyRun(1), scripted);
    await gate.someoneWaits();
    const part = waiting.slice(0, waiting.lastIndexOf('/'));
    try {
      await harness.client.workflow.getHandle(end === 'terminate' ? waiting : part)[end]();
    } finally {
      gate.open();
    }
    await untilStatus(handle, 'paused');
    expect((await progress(handle)).failure?.message).toContain(`evaluation ${part}: `);
    await handle.executeUpdate('resume');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    expect(calls.statuses.map(({ status }) => status)).not.toContain('cancelling');
  });

  it('fails, and says why, when the model cannot be initialised', async () => {
    const scripted = scriptedActivities({
      trainer: {
        initPolicy: () => Promise.reject(ApplicationFailure.nonRetryable('no model x', FailureType.BadConfiguration)),
      },
    });
    const { calls, result } = await start(1, scripted);
    await expect(result()).rejects.toThrow();
    expect(calls.statuses.at(-1)).toMatchObject({ status: 'failed', failure: { message: 'no model x' } });
  });
});
