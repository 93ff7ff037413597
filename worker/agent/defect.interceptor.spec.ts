import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { ProviderServer } from '../../activities/engines/llm/testing/provider-server.js';
import { openTestModel, testRequest } from '../../activities/engines/llm/testing/test-model.js';
import { PolicyUnusable } from '../../activities/engines/policy-errors.js';
import { FailureType } from '../../contracts/failures.js';
import { flowSchema } from '../../contracts/flow-config.js';
import type { AgentFlowInput } from '../../contracts/flow.js';
import { AGENT_TASK_QUEUE, CONTROL_TASK_QUEUE } from '../../contracts/task-queues.js';
import { NoSuchRun } from '../../infra/database/removed.js';
import { query, scriptedActivities } from '../../test/support/scripted-activities.js';
import { Gate } from '../../test/support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../../test/support/workflow-harness.js';
import { DefectInterceptor, type Bounds } from './defect.interceptor.js';
import { HeartbeatInterceptor } from './heartbeat.interceptor.js';

jest.setTimeout(180_000);

const BOUNDS: Bounds = { defects: 3, lost: 3, firstDelayMs: 10 };

/** How an attempt ends, by its number. */
type Attempt = (attempt: number) => Promise<void>;

describe('I14: a call on a real server', () => {
  let harness: WorkflowHarness;
  let worker: Worker;
  let running: Promise<void>;
  let behave: Attempt;
  let attempts = 0;

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    const scripted = scriptedActivities();
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = async (input) => {
      attempts += 1;
      await behave(attempts);
      return planTurn(input);
    };
    worker = await Worker.create({
      connection: harness.environment.nativeConnection,
      taskQueue: AGENT_TASK_QUEUE,
      workflowBundle: harness.bundle,
      activities: scripted.agent,
      interceptors: { activity: [(context) => ({ inbound: new DefectInterceptor(context, BOUNDS) })] },
    });
    running = worker.run();
    await harness.poll(CONTROL_TASK_QUEUE, scripted.agent);
  });
  afterAll(async () => {
    worker.shutdown();
    await running;
    await harness.stop();
  });

  /** What becomes of a flow whose planner's calls end like this. */
  async function run(calls: Attempt): Promise<unknown> {
    attempts = 0;
    behave = calls;
    const flowId = `flow-${randomUUID()}`;
    const input: AgentFlowInput = {
      flow: { flowId, runId: flowId, runSeed: 1, purpose: 'evaluation', step: 0, group: 0, rollout: 0 },
      query: query('q'),
      model: 'tiny-random',
      config: flowSchema.parse({}),
      greedy: true,
      score: false,
      settings: { ...TEST_SETTINGS, call_heartbeat_s: 1 },
    };
    const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: flowId, args: [input] };
    return harness.client.workflow.execute('agentFlow', options).catch((error: unknown) => rootOf(error));
  }

  it('fails when it has failed by itself so many times, and names itself and the reason', async () => {
    const failure = await run(() => Promise.reject(new TypeError('x is not a function')));
    expect(failure).toMatchObject({
      type: FailureType.Defect,
      message: 'planTurn failed 3 times by itself, not for an outage: TypeError: x is not a function',
    });
    expect(attempts).toBe(3);
  });

  it('is retried without limit while something outside is out of order, which uses up no attempt of a defect', async () => {
    const outages = 9;
    const failure = await run((attempt) =>
      Promise.reject(attempt <= outages ? unreachable() : new RangeError('Invalid array length')),
    );
    expect(failure).toMatchObject({ type: FailureType.Defect });
    expect(attempts).toBe(outages + BOUNDS.defects);
  });

  it('succeeds after defects that pass and outages in between', async () => {
    const result = await run((attempt) => {
      if (attempt > 6) return Promise.resolve();
      return Promise.reject(attempt === 2 || attempt === 5 ? new TypeError('once') : unreachable());
    });
    expect(result).toMatchObject({ outcome: 'answered' });
  });

  it('fails with the type that an error of ours names', async () => {
    const failure = await run(() => Promise.reject(new PolicyUnusable('policy run-a@3 cannot be loaded: no manifest')));
    expect(failure).toMatchObject({
      type: FailureType.PolicyUnusable,
      message: 'policy run-a@3 cannot be loaded: no manifest',
    });
    expect(attempts).toBe(BOUNDS.defects);
  });

  it('buys a provider’s answer that cannot be read a few times, and then names the provider and what it was', async () => {
    const provider = new ProviderServer();
    process.env.TEST_PROVIDER_KEY = 'marked-provider-key-0123456789';
    const registration = { kind: 'openai-compatible', key: { env: 'TEST_PROVIDER_KEY' } };
    const model = openTestModel(await provider.start(), registration);
    provider.behave = () => ({ kind: 'send', body: '{"id":"1","choices":[]}' });
    const failure = await run(async () => {
      await model.generate(testRequest(), new AbortController().signal);
    });
    await provider.stop();
    expect(failure).toMatchObject({ type: FailureType.Defect });
    expect((failure as Error).message).toBe(
      'planTurn failed 3 times by itself, not for an outage: ProviderAnswerInvalid: The answer of the provider p of the ' +
        'language model m cannot be read: `choices` is empty',
    );
    expect(provider.requests).toHaveLength(BOUNDS.defects);
  });

  it('ends when attempt after attempt is lost with its worker; one that ended by itself begins the count anew', async () => {
    // Nothing heartbeats in this worker: an attempt that hangs is lost, as one is whose process was killed.
    const gate = new Gate();
    const failure = await run((attempt) => (attempt === 3 ? Promise.reject(unreachable()) : gate.passed()));
    gate.open();
    expect(failure).toMatchObject({ type: FailureType.Defect });
    expect((failure as Error).message).toMatch(
      /^3 attempts in a row were lost: each time the worker of planTurn ended/,
    );
    expect(attempts).toBe(3 + BOUNDS.lost);
  });
});

describe(DefectInterceptor, () => {
  const call = (info: object, error: Error, aborted = false) => {
    const heartbeat = jest.fn();
    const context = {
      heartbeat,
      info: { attempt: 1, activityType: 'planTurn', ...info },
      cancellationSignal: { aborted },
    };
    const interceptor = new DefectInterceptor(context as unknown as Context, BOUNDS);
    const ended = interceptor.execute({ args: [], headers: {} }, () => Promise.reject(error));
    return { heartbeat, ended };
  };

  it('ends at once what belongs to a run that was deleted', async () => {
    const { ended } = call({}, new NoSuchRun('run-x', 'append the event step/1 to'));
    await expect(ended).rejects.toMatchObject({
      type: FailureType.NotFound,
      nonRetryable: true,
      message: expect.stringContaining('There is no training run "run-x"'),
    });
  });

  it('waits longer after each defect', async () => {
    const delays: unknown[] = [];
    for (const defects of [0, 1]) {
      const { ended } = call({ attempt: 9, heartbeatDetails: { defects, ended: 8 } }, new TypeError('x'));
      delays.push(await ended.catch((failure: unknown) => (failure as { nextRetryDelay: unknown }).nextRetryDelay));
    }
    expect(delays).toEqual([10, 40]);
  });

  it('holds no attempt of a worker before this version to be lost', async () => {
    const { heartbeat, ended } = call({ attempt: 500 }, unreachable());
    await expect(ended).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(heartbeat.mock.calls.map(([tries]) => tries)).toEqual([
      { defects: 0, ended: 499 },
      { defects: 0, ended: 500 },
    ]);
  });

  it('lets a cancellation through, whatever it was answered with', async () => {
    const error = new TypeError('in the middle of something');
    const { heartbeat, ended } = call({}, error, true);
    await expect(ended).rejects.toBe(error);
    expect(heartbeat).not.toHaveBeenCalled();
  });

  it('takes keys out of what it says', async () => {
    const { ended } = call(
      { attempt: 9, heartbeatDetails: { defects: 2, ended: 8 } },
      new TypeError('postgres://me:hunter2@db'),
    );
    await expect(ended).rejects.toThrow('TypeError: postgres://***@db');
  });
});

describe(HeartbeatInterceptor, () => {
  it('carries on what was counted', async () => {
    jest.useFakeTimers();
    const heartbeat = jest.fn();
    const tries = { defects: 2, ended: 4 };
    const context = { heartbeat, info: { attempt: 6, heartbeatDetails: tries, heartbeatTimeoutMs: 10_000 } };
    const call = new HeartbeatInterceptor(context as unknown as Context).execute(
      { args: [], headers: {} },
      async () => {
        jest.advanceTimersByTime(10_000);
      },
    );
    await call;
    jest.useRealTimers();
    expect(new Set(heartbeat.mock.calls.map(([details]) => details))).toEqual(new Set([tries]));
  });
});

function unreachable(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined && !(error instanceof ApplicationFailure)
    ? rootOf(error.cause)
    : error;
}
