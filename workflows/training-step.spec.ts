import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { progress, startRun, untilStatus } from '../test/support/started-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import type { DrawQueriesInput } from '../contracts/agent-activities.js';
import { FailureType } from '../contracts/failures.js';
import type { StepDecision } from '../contracts/training-run.js';
import type { Decision } from '../contracts/messages.js';
import { placeOf } from '../contracts/flow.js';

jest.setTimeout(120_000);

describe('a training step', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  }, 120_000);
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  /** Activities of a world in which the groups of `flat` have no variance, and group 0 takes its time. */
  function worldWith(flat: number[]) {
    const draws: DrawQueriesInput[] = [];
    const scripted = scriptedActivities({
      agent: {
        scoreAnswer: ({ flow }) => {
          const reward = flat.includes(placeOf(flow).group) ? 1 : placeOf(flow).rollout % 2;
          return Promise.resolve({ reward, reason: 'scripted' });
        },
      },
    });
    const { drawQueries, planTurn } = scripted.agent;
    scripted.agent.drawQueries = (input) => {
      draws.push(input);
      return drawQueries(input);
    };
    scripted.agent.planTurn = async (input) => {
      if (placeOf(input.flow).group === 0) await new Promise((resolve) => setTimeout(resolve, 500));
      return planTurn(input);
    };
    return { scripted, draws };
  }

  const overSampling = { training: { queries_per_step: 2, group_size: 2, groups: { over_sample: 3 } } };

  it('over-samples until enough groups have variance, accepted in draw order, with the cursor in the batch', async () => {
    const { scripted, draws } = worldWith([1, 2]);
    const { handle, calls, result } = await startRun(harness, tinyRun(1, 2, overSampling), scripted);
    await result();
    expect(draws.map(({ first, count }) => [first, count])).toEqual([
      [0, 2],
      [2, 1],
      [3, 1],
    ]);
    expect(calls.batches[0].groups).toEqual([
      { group: 0, rollouts: [0, 1] },
      { group: 3, rollouts: [0, 1] },
    ]);
    expect(calls.batches[0].draws).toBe(4);
    expect(await progress(handle)).toMatchObject({ draws: 4 });
  });

  it('stops over-sampling at its bound', async () => {
    const { scripted, draws } = worldWith([0, 1, 2, 3, 5]);
    const { calls, result } = await startRun(harness, tinyRun(1, 2, overSampling), scripted);
    await result();
    expect(draws.reduce((sum, { count }) => sum + count, 0)).toBe(6);
    expect(calls.batches[0].groups.map(({ group }) => group)).toEqual([4]);
  });

  const decisions: [Decision, StepDecision][] = [
    [{ kind: 'skip-group' }, { skipGroups: [1], skipStep: false }],
    [
      { kind: 'skip-group', groups: [0] },
      { skipGroups: [0], skipStep: false },
    ],
    [{ kind: 'skip-step' }, { skipGroups: [], skipStep: true }],
    [
      { kind: 'learning-rate', learningRate: 1e-6 },
      { skipGroups: [], skipStep: false },
    ],
  ];

  it.each(decisions)('a loss that is not finite waits for a decision: %j', async (decision, frozen) => {
    const scripted = scriptedActivities();
    const { trainStep } = scripted.trainer;
    scripted.trainer.trainStep = (request) =>
      scripted.calls.batches.length === 1 ? Promise.reject(notFinite([1])) : trainStep(request);
    const { handle, calls, result } = await startRun(harness, tinyRun(1, 2), scripted);
    await untilStatus(handle, 'paused');
    expect(await progress(handle)).toMatchObject({ failure: { type: 'NonFiniteLoss', groups: [1] } });
    await expect(
      handle.executeUpdate('decide', { args: [{ kind: 'learning-rate', learningRate: -1 }] }),
    ).rejects.toThrow();
    expect(await handle.executeUpdate('decide', { args: [decision] })).toBe('running');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    // A batch of its own holds the decision; the rollouts were not taken again.
    expect(calls.batches.map(({ revision }) => revision)).toEqual([0, 1]);
    expect(calls.batches[1].decision).toEqual(frozen);
    expect(calls.rollouts.filter(({ flow }) => flow.purpose === 'train')).toHaveLength(4);
    const rate = decision.kind === 'learning-rate' ? decision.learningRate : 1e-4;
    expect(calls.batches[1].training.learning_rate).toBe(rate);
  });

  it('a step that another policy sampled may be skipped, and nothing else can be decided about it', async () => {
    const scripted = scriptedActivities();
    const { trainStep } = scripted.trainer;
    const mismatch = ApplicationFailure.nonRetryable('not sampled from it', FailureType.SamplerMismatch);
    scripted.trainer.trainStep = (request) =>
      scripted.calls.batches.length === 1 ? Promise.reject(mismatch) : trainStep(request);
    const { handle, calls, result } = await startRun(harness, tinyRun(1, 2), scripted);
    await untilStatus(handle, 'paused');
    expect(await progress(handle)).toMatchObject({ failure: { type: 'SamplerMismatch' } });
    for (const kind of ['skip-group', 'learning-rate']) {
      const decision = { kind, groups: [0], learningRate: 1e-6 };
      await expect(handle.executeUpdate('decide', { args: [decision] })).rejects.toThrow();
    }
    expect(await handle.executeUpdate('decide', { args: [{ kind: 'skip-step' }] })).toBe('running');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    expect(calls.batches[1].decision).toEqual({ skipGroups: [], skipStep: true });
  });

  it('refuses a decision where there is nothing to decide', async () => {
    const scripted = scriptedActivities();
    scripted.trainer.trainStep = () => Promise.reject(ApplicationFailure.nonRetryable('x', FailureType.StepDiverged));
    const { handle } = await startRun(harness, tinyRun(1), scripted);
    await untilStatus(handle, 'paused');
    await expect(handle.executeUpdate('decide', { args: [{ kind: 'skip-step' }] })).rejects.toThrow();
  });

  it('learns from recorded trajectories without rolling anything out', async () => {
    const scripted = scriptedActivities();
    const sft = { training: { objective: 'sft', samples_per_step: 2, trajectories: { run: 'teacher' } } };
    const { calls, result } = await startRun(harness, tinyRun(2, 1, sft), scripted);
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 2 });
    expect(calls.recordedBatches.map(({ step }) => step)).toEqual([1, 2]);
    expect(calls.recordedBatches[0].training.trajectories.run).toBe('teacher');
    expect(calls.rollouts.filter(({ flow }) => flow.purpose === 'train')).toEqual([]);
  });

  it('resolves the policies that the configuration names once, before policy 0 (I11)', async () => {
    const scripted = scriptedActivities();
    const named = {
      from: { policy: 'parent@3', optimizer: true, allow: ['base-model'] },
      training: { queries_per_step: 1, group_size: 2, kl: { reference: 'parent@1' } },
    };
    const { resolvePolicy } = scripted.agent;
    const asked: { name: string; model?: string }[] = [];
    scripted.agent.resolvePolicy = (input) => {
      asked.push(input);
      return resolvePolicy(input);
    };
    const { calls, result } = await startRun(harness, tinyRun(1, 1, named), scripted);
    await result();
    // Whether the parent's model may be another one is for the trainer to say.
    expect(asked).toEqual([{ name: 'parent@1', model: 'tiny-random' }, { name: 'parent@3' }]);
    const { start, reference } = calls.inits[0];
    expect(start).toMatchObject({ policy: { name: 'parent@3' }, optimizer: true, allow: ['base-model'] });
    expect(reference).toMatchObject({ name: 'parent@1' });
    expect(calls.batches[0].reference).toMatchObject({ name: 'parent@1' });
  });

  it('goes back to any trainer when the one that holds the state does not answer', async () => {
    const scripted = scriptedActivities();
    const { trainStep } = scripted.trainer;
    scripted.trainer.trainStep = async (request) => ({ ...(await trainStep(request)), worker: 'trainer/gone' });
    const input = tinyRun(2);
    const settings = { ...input.settings, trainer_sticky_s: 0.5 };
    const { handle, calls, result } = await startRun(harness, { ...input, settings }, scripted);
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 2 });
    expect(calls.steps.map(({ step }) => step)).toEqual([1, 2]);
    const { events } = await handle.fetchHistory();
    const timedOut = events?.filter(({ activityTaskTimedOutEventAttributes: timeout }) => timeout) ?? [];
    // The second step, and the checkpoint at the end.
    expect(timedOut.length).toBeGreaterThanOrEqual(1);
  });
});

function notFinite(groups: number[]): ApplicationFailure {
  return ApplicationFailure.create({
    message: `the loss is not finite in groups ${groups.join(', ')}`,
    type: FailureType.NonFiniteLoss,
    nonRetryable: true,
    details: [{ groups }],
  });
}
