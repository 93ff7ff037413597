import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { Gate, progress, startRun, until, untilStatus, untilStep } from '../test/support/started-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import { FailureType } from '../contracts/failures.js';
import { placeOf } from '../contracts/flow.js';

jest.setTimeout(120_000);

describe('the end of a trainingRun', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  }, 120_000);
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  it('cancelled while policy 0 is made: ends, without a policy and without a checkpoint', async () => {
    const gate = new Gate();
    const scripted = scriptedActivities();
    const { initPolicy } = scripted.trainer;
    scripted.trainer.initPolicy = async (request) => {
      await gate.passed();
      return initPolicy(request);
    };
    const { handle, calls, result } = await startRun(harness, tinyRun(1), scripted);
    await gate.someoneWaits();
    await handle.cancel();
    await expect(result()).resolves.toEqual({ status: 'cancelled', step: 0 });
    gate.open();
    expect(calls.statuses.map(({ status }) => status)).toEqual(['running', 'cancelling', 'cancelled']);
    expect(calls.checkpoints).toEqual([]);
  });

  it('cancelled while its step cannot be recorded: the step is recorded before it ends', async () => {
    const database = { down: true, asked: 0 };
    const recorded: number[] = [];
    const scripted = scriptedActivities();
    scripted.agent.recordStep = ({ step }) => {
      database.asked += 1;
      if (database.down) return Promise.reject(new Error('connection refused'));
      recorded.push(step);
      return Promise.resolve();
    };
    const { handle, result } = await startRun(harness, tinyRun(3), scripted);
    await until(() => Promise.resolve(database.asked > 0));
    await handle.cancel();
    database.down = false;
    await expect(result()).resolves.toMatchObject({ status: 'cancelled', step: 1 });
    expect(recorded).toEqual([1]);
  });

  it('cancelled while a status cannot be written: each is written, in their order', async () => {
    const database = { down: true, asked: 0 };
    const scripted = scriptedActivities();
    const { setRunStatus } = scripted.agent;
    scripted.agent.setRunStatus = (input) => {
      if (input.status !== 'pausing' || !database.down) return setRunStatus(input);
      database.asked += 1;
      return Promise.reject(new Error('connection refused'));
    };
    const { handle, calls, result } = await startRun(harness, tinyRun(40), scripted);
    await untilStep(handle, 1);
    const pausing = handle.executeUpdate('pause', { args: [{}] });
    await until(() => Promise.resolve(database.asked > 0));
    await handle.cancel();
    database.down = false;
    await pausing;
    await expect(result()).resolves.toMatchObject({ status: 'cancelled' });
    const { statuses } = calls;
    expect(statuses.map(({ version }) => version)).toEqual(Array.from(statuses, (_, index) => index + 1));
    expect(statuses[1].status).toBe('pausing');
  });

  it('cancelled, but its checkpoint cannot be made: ends failed, and says why', async () => {
    const gate = new Gate();
    const scripted = scriptedActivities();
    const { trainStep } = scripted.trainer;
    scripted.trainer.trainStep = async (request) => {
      if (request.step === 2) await gate.passed();
      return trainStep(request);
    };
    scripted.trainer.saveCheckpoint = () =>
      Promise.reject(ApplicationFailure.nonRetryable('step 1 gave another sha256', FailureType.ReplayDiverged));
    const { handle, calls, result } = await startRun(harness, tinyRun(2), scripted);
    await gate.someoneWaits();
    await handle.cancel();
    await expect(result()).rejects.toThrow();
    gate.open();
    expect(calls.statuses.slice(-2)).toMatchObject([
      { status: 'cancelling' },
      { status: 'failed', failure: { type: 'ReplayDiverged', message: 'step 1 gave another sha256' } },
    ]);
  });

  it('cancelled after its last status was sent: stays completed', async () => {
    const database = { down: false };
    const scripted = scriptedActivities();
    const { setRunStatus } = scripted.agent;
    scripted.agent.setRunStatus = (input) => {
      if (input.status === 'completed' && database.down) return Promise.reject(new Error('connection refused'));
      return setRunStatus(input);
    };
    database.down = true;
    const { handle, calls, result } = await startRun(harness, tinyRun(1), scripted);
    await untilStatus(handle, 'completed');
    await handle.cancel();
    database.down = false;
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    expect(calls.statuses.map(({ status }) => status)).toEqual(['running', 'completed']);
  });

  it('failed by what nobody foresaw: says which call failed, and why', async () => {
    const scripted = scriptedActivities();
    scripted.agent.recordRollout = ({ flow }) =>
      flow.purpose === 'train' && flow.rollout === 1
        ? Promise.reject(ApplicationFailure.nonRetryable('no such table', 'NotListed'))
        : Promise.resolve();
    const input = tinyRun(1);
    const { calls, result } = await startRun(harness, input, scripted);
    await expect(result()).rejects.toThrow();
    expect(calls.statuses.at(-1)).toMatchObject({
      status: 'failed',
      failure: {
        type: 'Unexpected',
        message: `rolloutGroup ${input.runId}/1/0: agentFlow ${input.runId}/1/0/1: recordRollout: no such table`,
      },
    });
  });

  it('paused by a failure of its last evaluation: takes a resume, and nothing else', async () => {
    let broken = true;
    const scripted = scriptedActivities();
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = (input) =>
      broken && input.flow.purpose === 'evaluation' && placeOf(input.flow).step === 1
        ? Promise.reject(ApplicationFailure.nonRetryable('10 of 10 tokens', FailureType.BudgetSpent))
        : planTurn(input);
    const { handle, result } = await startRun(harness, tinyRun(1), scripted);
    await untilStatus(handle, 'paused');
    expect(await progress(handle)).toMatchObject({ step: 1, failure: { type: 'BudgetSpent' } });
    await expect(handle.executeUpdate('extend', { args: [2] })).rejects.toThrow();
    broken = false;
    expect(await handle.executeUpdate('resume')).toBe('running');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
  });
});
