import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { Workflows } from '../../api/temporal/workflows.js';
import { ReconcilerService } from '../../api/submissions/reconciler.service.js';
import { TestApi } from '../../api/testing/test-api.js';
import { runCli } from '../../cli/testing/test-cli.js';
import { BenchmarkEvaluation } from '../../infra/database/entities/index.js';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { Gate, until } from '../support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../support/workflow-harness.js';
import { recordingActivities, RUN, startStanding, submissionsOf, type Standing } from './fixture.js';

jest.setTimeout(300_000);

const LOST = 'WorkflowLost';

describe(ReconcilerService, () => {
  let harness: WorkflowHarness;
  let standing: Standing;
  /** Nobody plans or trains: whatever is submitted stays open. */
  const gate = new Gate();

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    standing = await startStanding(harness);
    const blocked = async (): Promise<never> => {
      await gate.passed();
      throw ApplicationFailure.nonRetryable('the test is over', 'NotFound');
    };
    await harness.work(
      recordingActivities(standing.dataSource, { agent: { analyseQuery: blocked }, trainer: { initPolicy: blocked } }),
    );
  });
  afterAll(async () => {
    gate.open();
    await standing?.api.stop();
    await harness?.stop();
  });

  const kinds = submissionsOf(() => standing);
  type Kind = keyof typeof kinds;
  const names = Object.keys(kinds) as Kind[];

  const begun = async (kind: Kind): Promise<string> => {
    const id = await kinds[kind].submit();
    await until(async () => (await kinds[kind].get(id)).status === 'running');
    return id;
  };
  const handle = (id: string) => harness.client.workflow.getHandle(id);
  const deleteExecution = async (id: string): Promise<void> => {
    await harness.environment.connection.workflowService.deleteWorkflowExecution({
      namespace: harness.client.options.namespace,
      workflowExecution: { workflowId: id },
    });
    await until(async () =>
      handle(id)
        .describe()
        .then(
          () => false,
          () => true,
        ),
    );
  };
  const end: Record<string, (id: string) => Promise<unknown>> = {
    'was terminated': (id) => handle(id).terminate('by hand'),
    'was deleted': deleteExecution,
  };

  describe.each(names)('%s', (kind) => {
    it.each(['was terminated', 'was deleted'])('whose workflow %s ends, and says what to do', async (how) => {
      const id = await begun(kind);
      await end[how](id);
      await standing.reconcile();
      expect((await kinds[kind].get(id)).status).toBe('running');
      await standing.reconcile();
      const row = await kinds[kind].get(id);
      expect(row).toMatchObject({ status: 'failed', failure: { type: LOST } });
      expect(row.finished_at).not.toBeNull();
      expect(row.failure?.message).toContain(how === 'was terminated' ? 'by hand' : 'Temporal does not know it');
      expect(row.failure?.message).toContain(`npx agentflow ${kinds[kind].revive(id)}`);
    });

    it('is cancelled although its workflow is gone', async () => {
      const id = await begun(kind);
      await handle(id).terminate('by hand');
      expect((await kinds[kind].cancel(id)).status).toBe('cancelled');
      expect(await kinds[kind].get(id)).toMatchObject({ status: 'cancelled', failure: { type: LOST } });
    });

    it('is left alone while its workflow is open', async () => {
      const id = await begun(kind);
      for (let round = 0; round < 3; round++) await standing.reconcile();
      expect((await kinds[kind].get(id)).status).toBe('running');
      await kinds[kind].cancel(id);
    });

    it('ends its watchers, with a message and an exit code', async () => {
      const id = await begun(kind);
      await handle(id).terminate('by hand');
      const watching = runCli(standing.client.access, ...kinds[kind].watch(id)).catch((error: Error) => error);
      await standing.reconcile();
      await standing.reconcile();
      const watched = await watching;
      if (watched instanceof Error) expect(watched.message).toContain('by hand');
      else {
        expect(watched.exitCode).toBe(1);
        expect(watched.lines.join('\n')).toContain('by hand');
      }
    });
  });

  it('ends a flow whose workflow has timed out', async () => {
    const id = await begun('an agent flow');
    await handle(id).terminate();
    const timedOut = await harness.client.workflow.start('agentFlow', {
      workflowId: id,
      taskQueue: 'nobody',
      workflowExecutionTimeout: '1s',
    });
    await expect(timedOut.result()).rejects.toThrow('timed out');
    await standing.reconcile();
    await standing.reconcile();
    expect((await standing.client.getFlow(id)).failure?.message).toContain('it timed out');
  });

  it('suspects nothing any more after a round in which Temporal did not answer', async () => {
    const id = await begun('a training run');
    await handle(id).terminate('by hand');
    const away = Connection.lazy({ address: '127.0.0.1:9' });
    const workflows = new Workflows(new Client({ connection: away }), away, TEST_SETTINGS, 500);
    const unreachable = await TestApi.start({ workflows, dataSource: standing.dataSource });
    try {
      const reconciler = unreachable.app.get(ReconcilerService);
      for (let round = 0; round < 3; round++) await reconciler.reconcile();
    } finally {
      await unreachable.stop();
      await away.close();
    }
    expect((await standing.client.getRun(id)).status).toBe('running');
    await standing.client.act(id, 'cancel');
  });

  it('proves nothing by a namespace that is not there', async () => {
    const id = await begun('a training run');
    const elsewhere = new Client({ connection: harness.environment.connection, namespace: 'nowhere' });
    const other = await startStanding({ client: elsewhere, environment: harness.environment }, standing);
    try {
      for (let round = 0; round < 3; round++) await other.reconcile();
      expect((await standing.client.getRun(id)).status).toBe('running');
    } finally {
      await other.api.stop();
      await standing.client.act(id, 'cancel');
    }
  });

  it('counts again where the row has moved between two rounds', async () => {
    const id = await begun('a training run');
    await handle(id).terminate('by hand');
    await standing.reconcile();
    // What an activity of the terminated workflow still writes.
    await writeRunStatus(standing.dataSource, { runId: id, version: 9, status: 'pausing', step: 0, steps: 3 });
    await standing.reconcile();
    expect((await standing.client.getRun(id)).status).toBe('pausing');
    await standing.reconcile();
    expect((await standing.client.getRun(id)).status).toBe('failed');
  });

  it('tells an end once, whoever finds it', async () => {
    const id = await begun('a training run');
    await handle(id).terminate('by hand');
    const other = await startStanding(harness, standing);
    try {
      for (let round = 0; round < 3; round++) await Promise.all([standing.reconcile(), other.reconcile()]);
      const ends = (await standing.client.listEvents(id)).filter(({ type }) => type === 'run.failed');
      expect(ends).toHaveLength(1);
    } finally {
      await other.api.stop();
    }
  });

  it('ends a queued row whose workflow has ended before it wrote a status', async () => {
    const id = await begun('an evaluation on benchmarks');
    await handle(id).terminate('by hand');
    await standing.dataSource.getRepository(BenchmarkEvaluation).update({ id }, { status: 'queued', statusVersion: 0 });
    await standing.reconcile();
    await standing.reconcile();
    expect(await standing.client.getEvaluation(id)).toMatchObject({ status: 'failed', failure: { type: LOST } });
  });

  it('gives the row back to a workflow that lives after all', async () => {
    const id = await begun('a training run');
    const { statusVersion } = await standing.dataSource
      .getRepository('training_runs')
      .findOneByOrFail({ id })
      .then((row) => row as { statusVersion: number });
    await handle(id).terminate('by hand');
    await standing.reconcile();
    await standing.reconcile();
    const version = statusVersion + 1;
    await writeRunStatus(standing.dataSource, { runId: id, version, status: 'paused', step: 0, steps: RUN.steps });
    expect(await standing.client.getRun(id)).toMatchObject({ status: 'paused', failure: null, finished_at: null });
    await standing.client.act(id, 'cancel');
  });
});
