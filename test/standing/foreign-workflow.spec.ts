import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection, type WorkflowHandle, type WorkflowStartOptions } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { Worker } from '@temporalio/worker';
import { START_TOKEN } from '../../contracts/row-writer.js';
import { AGENT_TASK_QUEUE, TRAINER_TASK_QUEUE } from '../../contracts/task-queues.js';
import { DEV_SERVER_CONFIG } from '../../infra/temporal/dev-server-config.js';
import { createAgentWorkers, runTogether } from '../../worker/agent/agent-workers.js';
import { Gate, until } from '../support/started-run.js';
import { WorkflowHarness } from '../support/workflow-harness.js';
import { recordingActivities, RUN, startStanding, submissionsOf, submit, type Standing } from './fixture.js';

jest.setTimeout(300_000);

/** No worker polls it: what is started there stays as it is. */
const NOBODY = 'nobody';
/** The run with this seed takes its steps, to the last but one; all else that is submitted waits in its first call. */
const LONG = { ...RUN, seed: 77, steps: 6, evaluation: { ...RUN.evaluation, every: 0 } };

describe('a workflow that somebody starts under the id of a row', () => {
  let harness: WorkflowHarness;
  let standing: Standing;
  let workers: Worker[] = [];
  let working: Promise<void>;
  const gate = new Gate();
  const lastStep = new Gate();

  beforeAll(async () => {
    harness = await WorkflowHarness.start([...DEV_SERVER_CONFIG, 'limit.historyCount.suggestContinueAsNew=60']);
    standing = await startStanding(harness);
    const { agent, trainer } = recordingActivities(standing.dataSource);
    const { analyseQuery } = agent;
    const { initPolicy, trainStep } = trainer;
    const wait = async (at: Gate): Promise<never> => {
      await at.passed();
      throw ApplicationFailure.nonRetryable('the test is over', 'NotFound');
    };
    agent.analyseQuery = (input) => (input.flow.runId.startsWith('run-') ? analyseQuery(input) : wait(gate));
    trainer.initPolicy = (request) => (request.seed === LONG.seed ? initPolicy(request) : wait(gate));
    trainer.trainStep = (request) => (request.step === LONG.steps ? wait(lastStep) : trainStep(request));
    workers = await createAgentWorkers({
      connection: harness.environment.nativeConnection,
      namespace: harness.client.options.namespace,
      workflowBundle: harness.bundle,
      activities: agent,
      providers: {},
    });
    working = runTogether(workers);
    await harness.poll(TRAINER_TASK_QUEUE, trainer);
  });
  afterAll(async () => {
    gate.open();
    lastStep.open();
    for (const worker of workers) worker.shutdown();
    await working;
    await standing?.api.stop();
    await harness?.stop();
  });

  const kinds = submissionsOf(() => standing);
  type Kind = keyof typeof kinds;
  const names = Object.keys(kinds) as Kind[];
  const TYPES: Record<Kind, string> = {
    'a training run': 'trainingRun',
    'an agent flow': 'agentFlow',
    'an evaluation on benchmarks': 'benchmarkEvaluation',
  };

  const handle = (id: string, runId?: string) => harness.client.workflow.getHandle(id, runId);
  const begun = async (kind: Kind): Promise<string> => {
    const id = await kinds[kind].submit();
    await until(async () => (await kinds[kind].get(id)).status === 'running');
    return id;
  };
  const reconciled = async (): Promise<void> => {
    await standing.reconcile();
    await standing.reconcile();
  };
  const startByHand = (id: string, type: string, options: Partial<WorkflowStartOptions> = {}) =>
    harness.client.workflow.start(type, { workflowId: id, taskQueue: NOBODY, args: [{}], ...options });

  /** What its own workflow was started with. */
  const startOf = async (id: string) => {
    const [{ memo }, { events }] = await Promise.all([handle(id).describe(), handle(id).fetchHistory()]);
    const [payload] = events![0].workflowExecutionStartedEventAttributes!.input!.payloads!;
    return { memo, args: [JSON.parse(Buffer.from(payload.data!).toString())] as [Record<string, unknown>] };
  };

  /** By what is put in the place of a row's workflow. */
  const strangers: Record<string, (kind: Kind, id: string) => Promise<WorkflowHandle>> = {
    'another type': async (_, id) => {
      await handle(id).terminate('by hand');
      return startByHand(id, 'somebodyElses');
    },
    'the same type with a made-up input': async (kind, id) => {
      await handle(id).terminate('by hand');
      return startByHand(id, TYPES[kind], { args: [{ id, runId: id, flow: { flowId: id } }] });
    },
    'a copy of it, memo and all': async (kind, id) => {
      const { memo, args } = await startOf(id);
      expect(memo).toHaveProperty(START_TOKEN);
      await handle(id).terminate('by hand');
      return startByHand(id, TYPES[kind], { memo, args });
    },
  };

  /** Nobody has told it anything. */
  const expectUntouched = async ({ workflowId }: WorkflowHandle, runId: string): Promise<void> => {
    const { status, runId: now } = await handle(workflowId).describe();
    expect([status.name, now]).toEqual(['RUNNING', runId]);
    const { events } = await handle(workflowId).fetchHistory();
    expect(events!.length).toBe(2); // started, and its first task is scheduled
  };

  describe.each(names)('%s', (kind) => {
    it.each(Object.keys(strangers))('that %s took the place of ends, and says what to do', async (which) => {
      const id = await begun(kind);
      const stranger = await strangers[which](kind, id);
      const { runId } = await stranger.describe();
      await reconciled();
      const row = await kinds[kind].get(id);
      expect(row).toMatchObject({ status: 'failed', failure: { type: 'WorkflowLost' } });
      expect(row.failure!.message).toContain(`run ${runId}`);
      expect(row.failure!.message).toContain(`npx agentflow ${kinds[kind].revive(id)}`);
      await expectUntouched(stranger, runId);

      await kinds[kind].reviveNow(id);
      await until(async () => (await kinds[kind].get(id)).status === 'running');
      const own = await handle(id).describe();
      expect([own.type, own.status.name]).toEqual([TYPES[kind], 'RUNNING']);
      expect(own.runId).not.toBe(runId);
      expect((await handle(id, runId).describe()).status.name).toBe('TERMINATED');
      await reconciled();
      expect((await kinds[kind].get(id)).status).toBe('running');
      await kinds[kind].cancel(id);
    });

    it('tells it nothing, and is cancelled without it', async () => {
      const id = await begun(kind);
      const stranger = await strangers['the same type with a made-up input'](kind, id);
      const { runId } = await stranger.describe();
      for (const verb of kinds[kind].verbs) {
        const { body } = await standing.api.request('post', `${kinds[kind].path(id)}/${verb}`).expect(409);
        expect(JSON.stringify(body)).toContain(`run ${runId}`);
        expect(JSON.stringify(body)).toContain(kinds[kind].revive(id));
      }
      expect((await kinds[kind].cancel(id)).status).toBe('cancelled');
      await expectUntouched(stranger, runId);
      await standing.api.request('delete', kinds[kind].path(id)).expect(409);
      await expectUntouched(stranger, runId);
    });

    it('that it was there before ends, and says what to do', async () => {
      const away = Connection.lazy({ address: '127.0.0.1:9' });
      const unreachable = await startStanding(
        { client: new Client({ connection: away }), environment: { connection: away } as never },
        standing,
      );
      let id: string;
      try {
        id = await submissionsOf(() => unreachable)[kind].submit();
      } finally {
        await unreachable.api.stop();
        await away.close();
      }
      const stranger = await startByHand(id, TYPES[kind], { args: [{ id, runId: id, flow: { flowId: id } }] });
      const { runId } = await stranger.describe();
      await reconciled();
      expect((await kinds[kind].get(id)).failure?.message).toContain(`run ${runId}`);
      await kinds[kind].reviveNow(id);
      await until(async () => (await kinds[kind].get(id)).status === 'running');
      await kinds[kind].cancel(id);
    });

    it('does not take what it writes, and ends it', async () => {
      const id = await begun(kind);
      const { args } = await startOf(id);
      await handle(id).terminate('by hand');
      const before = await kinds[kind].get(id);
      const stranger = await startByHand(id, TYPES[kind], { args, taskQueue: AGENT_TASK_QUEUE });
      await expect(stranger.result()).rejects.toThrow();
      const { events } = await stranger.fetchHistory();
      expect(JSON.stringify(events)).toContain('only the API starts workflows');
      expect(await kinds[kind].get(id)).toEqual(before);
      await reconciled();
      expect((await kinds[kind].get(id)).failure?.message).toMatch(
        /another workflow was started under its id .*it failed/,
      );
    });
  });

  describe('is told from', () => {
    const forgetWorkflow = (id: string) =>
      standing.dataSource.query('UPDATE training_runs SET workflow = NULL WHERE id = $1', [id]);

    it('the row’s own that has continued as new, was reset, and was revived', async () => {
      const { id } = await submit(standing.client, LONG);
      await lastStep.someoneWaits();
      const { runId, raw } = await handle(id).describe();
      expect(raw.workflowExecutionInfo!.firstRunId).not.toBe(runId);
      await reconciled();
      expect(await standing.client.setLearningRate(id, 1e-5)).toMatchObject({ status: 'running' });

      const { events } = await handle(id).fetchHistory();
      const done = events!.filter((event) => event.workflowTaskCompletedEventAttributes);
      const reset = await harness.environment.connection.workflowService.resetWorkflowExecution({
        namespace: harness.client.options.namespace,
        workflowExecution: { workflowId: id, runId },
        workflowTaskFinishEventId: done.at(-1)!.eventId,
        requestId: 'reset',
        reason: 'by hand',
      });
      expect((await handle(id).describe()).runId).toBe(reset.runId);
      await reconciled();
      expect(await standing.client.setLearningRate(id, 2e-5)).toMatchObject({ status: 'running' });

      await handle(id).terminate('by hand');
      await standing.client.act(id, 'revive');
      await until(async () => (await standing.client.getRun(id)).status === 'running');
      await reconciled();
      expect(await standing.client.setLearningRate(id, 3e-5)).toMatchObject({ status: 'running' });
      await standing.client.act(id, 'cancel');
    });

    it('that of a row of an older version, which knows it by its type until it writes a status', async () => {
      const id = await begun('a training run');
      await forgetWorkflow(id);
      await reconciled();
      expect(await standing.client.setLearningRate(id, 1e-5)).toMatchObject({ status: 'running' });
      await strangers['the same type with a made-up input']('a training run', id);
      await reconciled();
      expect((await standing.client.getRun(id)).status).toBe('failed');

      const other = await begun('a training run');
      await forgetWorkflow(other);
      await strangers['another type']('a training run', other);
      await reconciled();
      expect((await standing.client.getRun(other)).status).toBe('failed');
    });
  });
});
