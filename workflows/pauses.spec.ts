import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { DrawQueriesInput, PlanTurnInput, RecordRolloutInput } from '../contracts/agent-activities.js';
import type { BenchmarkEvaluationInput, SetEvaluationStatusInput } from '../contracts/benchmark-evaluation.js';
import { evaluationConfigSchema } from '../contracts/evaluation-config.js';
import { FailureType } from '../contracts/failures.js';
import { flowSchema } from '../contracts/flow-config.js';
import { placeOf, type AgentFlowInput } from '../contracts/flow.js';
import { AGENT_TASK_QUEUE } from '../contracts/task-queues.js';
import type { TrainingRunInput, TrainingRunResult } from '../contracts/training-run.js';
import { query, scriptedActivities, type ScriptedActivities } from '../test/support/scripted-activities.js';
import { Gate, progress, startRun, until, untilStatus } from '../test/support/started-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../test/support/workflow-harness.js';

jest.setTimeout(300_000);

type Events = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>;

const DEFECT = 'failed 5 times by itself, not for an outage: TypeError: x is not a function';
const defect = (call: string) => ApplicationFailure.nonRetryable(`${call} ${DEFECT}`, FailureType.Defect);
const spent = () => ApplicationFailure.nonRetryable('the budget is spent', FailureType.BudgetSpent);

describe('I14: what fails by itself pauses', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  });
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  async function evaluate(scripted: ScriptedActivities, config: Record<string, unknown>) {
    const statuses: SetEvaluationStatusInput[] = [];
    scripted.agent.setEvaluationStatus = async (input) => void statuses.push(input);
    await harness.work(scripted);
    const input: BenchmarkEvaluationInput = {
      id: `eval-${randomUUID()}`,
      config: evaluationConfigSchema.parse({
        model: 'tiny-random',
        benchmarks: [{ name: 'atlas', questions: 3 }],
        ...config,
      }),
      settings: TEST_SETTINGS,
    };
    const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: input.id, args: [input] };
    const handle = await harness.client.workflow.start('benchmarkEvaluation', options);
    const pausedTimes = (times: number) =>
      until(async () => statuses.filter(({ status }) => status === 'paused').length === times);
    return { handle, statuses, pausedTimes, id: input.id };
  }

  it('an evaluation on benchmarks, which names the call, and goes on with the page that it was at', async () => {
    const scripted = scriptedActivities();
    let broken = true;
    const { scoreAnswer } = scripted.agent;
    scripted.agent.scoreAnswer = (input) => {
      if (broken && input.query.id === 'eval-255') throw defect('scoreAnswer');
      return scoreAnswer(input);
    };
    const { handle, statuses, pausedTimes, id } = await evaluate(scripted, {
      benchmarks: [{ name: 'atlas', questions: 260 }],
      flow: { outputs: ['base'] },
    });
    await pausedTimes(1);
    expect(statuses.at(-1)).toMatchObject({ version: 2, status: 'paused', failure: { type: 'Defect' } });
    expect(statuses.at(-1)?.failure?.message).toBe(`agentFlow ${id}/0/255/0: scoreAnswer: scoreAnswer ${DEFECT}`);
    const before = scripted.calls.rollouts.length;
    broken = false;
    await expect(handle.executeUpdate('resume')).resolves.toBe('running');
    await handle.result();
    expect(statuses.map(({ version, status }) => [version, status])).toEqual([
      [1, 'running'],
      [2, 'paused'],
      [3, 'running'],
      [4, 'completed'],
    ]);
    const questions = new Set(scripted.calls.rollouts.map(({ flow }) => flow.flowId));
    expect(questions.size).toBe(260);
    // The first 250 are behind it: only those of the second page are asked again.
    expect(scripted.calls.rollouts.length - before).toBeLessThanOrEqual(10);
  });

  it('an evaluation whose budget is spent, and each resume grants it once more', async () => {
    const scripted = scriptedActivities();
    const granted: (number | undefined)[] = [];
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = (input) => {
      granted.push(input.budget?.calls);
      if ((input.budget?.calls ?? 0) < 30) throw spent();
      return planTurn(input);
    };
    const { handle, pausedTimes } = await evaluate(scripted, { flow: { budget: { calls: 10 } } });
    for (const times of [1, 2]) {
      await pausedTimes(times);
      // Two at once are one: the budget is granted once.
      await Promise.all([handle.executeUpdate('resume'), handle.executeUpdate('resume')]);
    }
    await handle.result();
    expect(new Set(granted)).toEqual(new Set([10, 20, 30]));
  });

  it('an evaluation whose report cannot be made; cancelled while it is paused it is cancelled', async () => {
    const scripted = scriptedActivities();
    scripted.agent.reportEvaluation = () => Promise.reject(defect('reportEvaluation'));
    const { handle, statuses, pausedTimes } = await evaluate(scripted, {});
    await pausedTimes(1);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect(statuses.at(-1)).toMatchObject({ version: 3, status: 'cancelled' });
  });

  it.each(['planTurn', 'recordRollout'] as const)('an asked flow whose %s fails by itself', async (call) => {
    const scripted = scriptedActivities();
    const works = scripted.agent[call] as (input: unknown) => Promise<unknown>;
    let broken = true;
    Object.assign(scripted.agent, {
      [call]: (input: unknown) => (broken ? Promise.reject(defect(call)) : works(input)),
    });
    await harness.work(scripted);
    const flowId = `flow-${randomUUID()}`;
    const input: AgentFlowInput = {
      flow: { flowId, runId: flowId, runSeed: 1, purpose: 'ask' },
      query: query('q'),
      model: 'tiny-random',
      config: flowSchema.parse({ budget: { calls: 5 } }),
      greedy: true,
      score: false,
      settings: TEST_SETTINGS,
    };
    const handle = await harness.client.workflow.start('agentFlow', {
      taskQueue: AGENT_TASK_QUEUE,
      workflowId: flowId,
      args: [input],
    });
    const { flowStatuses, plans } = scripted.calls;
    await until(async () => flowStatuses.at(-1)?.status === 'paused');
    expect(flowStatuses.at(-1)?.failure).toMatchObject({ type: 'Defect', message: `${call}: ${call} ${DEFECT}` });
    broken = false;
    await handle.executeUpdate('resume');
    await expect(handle.result()).resolves.toMatchObject({ outcome: 'answered' });
    // It was no budget that was spent: none is granted.
    expect(plans.map(({ budget }) => budget?.calls)).toEqual([5]);
  });

  it('a run, with the rollout and the call named, and goes on when it is resumed', async () => {
    const scripted = scriptedActivities();
    let broken = true;
    const { executeTurn } = scripted.agent;
    scripted.agent.executeTurn = (input) =>
      broken && input.flow.purpose === 'train' && input.flow.rollout === 1
        ? Promise.reject(defect('executeTurn'))
        : executeTurn(input);
    const input = tinyRun(1, 1);
    const { handle, result } = await startRun(harness, input, scripted);
    await untilStatus(handle, 'paused');
    const { failure } = await progress(handle);
    const { runId } = input;
    expect(failure?.message).toBe(
      `rolloutGroup ${runId}/1/0: agentFlow ${runId}/1/0/1: executeTurn: executeTurn ${DEFECT}`,
    );
    broken = false;
    await handle.executeUpdate('resume');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
  });

  it('I2: a run of whose rollouts none was scored for an outage; it commits nothing, and rolls them out again', async () => {
    const scripted = scriptedActivities();
    let down = true;
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = (input: PlanTurnInput) =>
      down && input.flow.purpose === 'train' ? Promise.reject(new Error('connection refused')) : planTurn(input);
    const input = tinyRun(1, 2);
    input.settings = { ...input.settings, patience_s: 1 };
    const { handle, result, calls } = await startRun(harness, input, scripted);
    await untilStatus(handle, 'paused');
    const { failure, step } = await progress(handle);
    expect(failure).toMatchObject({ type: FailureType.NothingScored });
    expect(failure?.message).toContain('Step 1 has nothing to learn from');
    expect([step, calls.batches, calls.steps]).toEqual([0, [], []]);
    down = false;
    await handle.executeUpdate('resume');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    expect(calls.batches.at(-1)?.groups.length).toBe(2);
    const outcomes = (ofFlow: string) =>
      calls.rollouts
        .filter(({ flow }: RecordRolloutInput) => flow.flowId === ofFlow)
        .map(({ result: { outcome } }) => outcome);
    expect(outcomes(`${input.runId}/1/0/0`)).toEqual(['infrastructure', 'answered']);
  });

  it('I6: the questions of a large step are drawn in pages that fit a payload, in their order', async () => {
    const scripted = scriptedActivities();
    const pages: Pick<DrawQueriesInput, 'first' | 'count'>[] = [];
    scripted.agent.drawQueries = ({ first, count }) => {
      pages.push({ first, count });
      return Promise.resolve(Array.from({ length: count }, (_, i) => query(`q-${first + i}`)));
    };
    const { result, calls } = await startRun(harness, tinyRun(1, 60, { flow: { outputs: ['base'] } }), scripted);
    await result();
    expect([...pages].sort((a, b) => a.first - b.first)).toEqual([
      { first: 0, count: 50 },
      { first: 50, count: 10 },
    ]);
    const asked = calls.rollouts.filter(({ flow }) => flow.purpose === 'train');
    expect(asked.every(({ flow, query: { id } }) => id === `q-${placeOf(flow).group}`)).toBe(true);
  });

  it('pause now stops a held-out evaluation before its next call, and resume lets it go on', async () => {
    const scripted = scriptedActivities();
    const gate = new Gate();
    const { analyseQuery } = scripted.agent;
    scripted.agent.analyseQuery = async (input) => {
      if (input.flow.purpose === 'evaluation') await gate.passed();
      return analyseQuery(input);
    };
    const evaluated = () => scripted.calls.plans.filter(({ flow }) => flow.purpose === 'evaluation');
    const { handle, result } = await startRun(harness, tinyRun(1, 1), scripted);
    await gate.someoneWaits();
    await handle.executeUpdate('pause', { args: [{ now: true }] });
    const flows = [0, 1].map((i) => harness.client.workflow.getHandle(`${handle.workflowId}/eval/0/policy/${i}`));
    const histories = async () => Promise.all(flows.map(async (flow) => (await flow.fetchHistory()).events ?? []));
    const all = (test: (events: Events) => boolean) => until(async () => (await histories()).every(test));
    await all((events) => events.some((event) => event.workflowExecutionSignaledEventAttributes));
    gate.open();
    // The call has ended, and the workflow has decided what comes next: nothing.
    await all(
      (events) =>
        events.some((event) => event.activityTaskCompletedEventAttributes) &&
        Boolean(events.at(-1)?.workflowTaskCompletedEventAttributes),
    );
    expect(evaluated()).toEqual([]);
    await handle.executeUpdate('resume');
    await expect(result()).resolves.toMatchObject({ status: 'completed' });
    expect(evaluated().length).toBeGreaterThan(0);
  });

  it('a resume that comes while a held evaluation is starting reaches it', async () => {
    const scripted = scriptedActivities();
    const { initPolicy } = scripted.trainer;
    let resume: (runId: string) => void = () => undefined;
    scripted.trainer.initPolicy = async (request) => {
      const begun = await initPolicy(request);
      resume(request.run_id);
      return begun;
    };
    await harness.work(scripted);
    const runs = Array.from({ length: 24 }, () => tinyRun(1, 1));
    const start = async (input: TrainingRunInput) => {
      const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: input.runId, args: [input] };
      const handle = await harness.client.workflow.start('trainingRun', options);
      await handle.executeUpdate('pause', { args: [{ now: true }] });
      return handle;
    };
    const resumed: Promise<unknown>[] = [];
    // The evaluation begins some milliseconds after the call has ended: some run meets the moment.
    resume = (runId) => {
      const delay = 2 * runs.findIndex((run) => run.runId === runId);
      const asked = sleep(delay).then(() => harness.client.workflow.getHandle(runId).executeUpdate('resume'));
      resumed.push(asked);
    };
    const handles = await Promise.all(runs.map(start));
    const ends = await Promise.all(handles.map((handle) => handle.result() as Promise<TrainingRunResult>));
    await Promise.all(resumed);
    expect(ends.map(({ status }) => status)).toEqual(runs.map(() => 'completed'));
  });
});
