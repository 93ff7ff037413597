import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { ApiClient } from '../../cli/client/api-client.js';
import { runCli } from '../../cli/testing/test-cli.js';
import type { SetRunStatusInput } from '../../contracts/agent-activities.js';
import { FailureType } from '../../contracts/failures.js';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { apiSection } from '../../infra/config/operator/api.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { isEnded, NotItsWorkflow } from '../../infra/database/submission-rows.js';
import { recordingActivities } from '../../test/standing/fixture.js';
import { Gate, until } from '../../test/support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../../test/support/workflow-harness.js';
import { ReconcilerService } from '../submissions/reconciler.service.js';
import { Workflows } from '../temporal/workflows.js';
import { TestApi } from '../testing/test-api.js';
import { TrainingRunsService } from './training-runs.service.js';

jest.setTimeout(300_000);

const RUN = {
  model: 'tiny-random',
  steps: 1,
  training: { queries_per_step: 1, group_size: 2 },
  evaluation: { questions: 1, yardsticks: false },
};
/** A run with this seed begins, and goes no further until its gate is open. */
const HELD = 77;

/** What an agent worker makes of the error (worker/agent/defect.interceptor.ts). */
function asAgentWorker(error: Error): never {
  throw error instanceof NotItsWorkflow ? ApplicationFailure.nonRetryable(error.message, FailureType.NotFound) : error;
}

describe('runs of a project of which one may be under way at once', () => {
  let harness: WorkflowHarness;
  let api: TestApi;
  let other: TestApi;
  let project: string;
  let client: ApiClient;
  let elsewhere: ApiClient;
  let gate = new Gate();
  /** Of each project, in the order in which they began; and the most that were under way at once. */
  const begun: string[] = [];
  const underWay = new Set<string>();
  let most = 0;

  const follow = async (input: SetRunStatusInput): Promise<void> => {
    const { runId, status } = input;
    if (status === 'running' && !begun.includes(runId)) begun.push(runId);
    if (isEnded({ status })) underWay.delete(runId);
    else underWay.add(runId);
    most = Math.max(most, underWay.size);
    await writeRunStatus(api.database.dataSource, input).catch(asAgentWorker);
  };

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    const workflows = new Workflows(harness.client, harness.environment.connection, TEST_SETTINGS);
    const operator = {
      ...loadOperatorFile(join(PROJECT_ROOT, 'infra/local/operator.yaml')),
      api: apiSection.parse({ concurrent_training_runs: 1 }),
    };
    api = await TestApi.start({ workflows, operator });
    other = await TestApi.start({ workflows, operator, dataSource: api.database.dataSource });
    const activities = recordingActivities(api.database.dataSource, { agent: { setRunStatus: follow } });
    const { initPolicy } = activities.trainer;
    activities.trainer.initPolicy = async (request) => {
      if (request.seed === HELD) await gate.passed();
      return initPolicy(request);
    };
    await harness.work(activities);
  });
  afterAll(async () => {
    gate.open();
    await other?.stop();
    await api?.stop();
    await harness?.stop();
  });
  beforeEach(async () => {
    gate.open();
    gate = new Gate();
    begun.length = 0;
    underWay.clear();
    most = 0;
    project = `team-${Math.random().toString(36).slice(2)}`;
    const key = await createApiKey(api.database.dataSource, project);
    client = new ApiClient({ url: api.url, key });
    elsewhere = new ApiClient({ url: other.url, key });
  });

  const submit = async (seed = 0, by = client): Promise<string> =>
    (await by.createRun({ body: JSON.stringify({ ...RUN, seed }), contentType: 'application/json' })).id;
  const status = async (id: string) => (await client.getRun(id)).status;
  const untilStatus = (id: string, wanted: string) => until(async () => (await status(id)) === wanted);
  const held = async (): Promise<string> => {
    const id = await submit(HELD);
    await untilStatus(id, 'running');
    return id;
  };
  const position = async (id: string) => (await client.getRun(id)).queue_position;
  const rowOf = (id: string) => api.database.dataSource.getRepository(TrainingRun).findOneByOrFail({ id });
  const isKnownToTemporal = (id: string) =>
    harness.client.workflow
      .getHandle(id)
      .describe()
      .then(
        () => true,
        () => false,
      );

  it('begin one after another, in their order, whichever API process they came to', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, (_, n) => submit(n, n % 2 ? client : elsewhere)));
    // Whoever looks at the same time, as at the boot of two processes, starts no more.
    await Promise.all([api, other].map(({ app }) => app.get(ReconcilerService).reconcile()));
    for (const id of ids) await untilStatus(id, 'completed');
    const rows = await Promise.all(ids.map(rowOf));
    expect(begun).toEqual(rows.toSorted((a, b) => a.place! - b.place!).map(({ id }) => id));
    expect(most).toBe(1);
  });

  it('do not keep those of another project waiting', async () => {
    await held();
    await submit();
    const key = await createApiKey(api.database.dataSource, `${project}-b`);
    const theirs = new ApiClient({ url: api.url, key });
    const id = await submit(0, theirs);
    await until(async () => (await theirs.getRun(id)).status === 'completed');
  });

  it('are told their places, which move up', async () => {
    const first = await held();
    const [second, third] = [await submit(), await submit()];
    expect(await Promise.all([first, second, third].map(position))).toEqual([null, 1, 2]);
    const { data } = await client.listRuns({ limit: 20 });
    expect(data.map(({ id, queue_position }) => [id, queue_position])).toEqual([
      [third, 2],
      [second, 1],
      [first, null],
    ]);
    expect(await client.progress(third)).toMatchObject({ status: 'queued', step: 0, steps: 1, queuePosition: 2 });
    expect((await client.progress(third)).phase).toContain('number 2');

    const shown = (await runCli(client.access, 'runs', 'show', third)).lines.join('\n');
    expect(shown).toContain('waits for other runs of its project, as number 2 of those that wait');
    expect((await runCli(client.access, 'runs', 'list')).lines.join('\n')).toContain('queued (2)');
    const watching = runCli(client.access, 'runs', 'watch', second);
    gate.open();
    const watched = await watching;
    expect(watched.notes.join('\n')).toContain('as number 1 of those that wait');
    expect(watched.exitCode).toBe(0);
    await untilStatus(third, 'completed');
    expect(await position(third)).toBeNull();
  });

  it('take no message while they wait, and are cancelled at once, without a workflow', async () => {
    await held();
    const [second, third] = [await submit(), await submit()];
    const verbs = [
      () => client.pause(second),
      () => client.resume(second),
      () => client.act(second, 'stop'),
      () => client.extend(second, 9),
      () => client.setLearningRate(second, 1e-5),
      () => client.decide(second, { kind: 'skip-step' }),
    ];
    for (const verb of verbs) {
      await expect(verb()).rejects.toMatchObject({ status: 409, message: expect.stringContaining('has not begun') });
    }
    // An unfinished run is not deleted, and a revival changes nothing.
    await api.request('delete', `/v1/training_runs/${second}`, client.access.key).expect(409);
    await client.act(second, 'revive');
    expect(await isKnownToTemporal(second)).toBe(false);

    expect(await client.act(second, 'cancel')).toMatchObject({ status: 'cancelled', failure: null });
    expect((await client.listEvents(second)).map(({ type }) => type)).toEqual(['run.queued', 'run.cancelled']);
    await expect(client.act(second, 'cancel')).rejects.toMatchObject({ status: 409 });
    expect(await position(third)).toBe(1);
    await api.request('delete', `/v1/training_runs/${second}`, client.access.key).expect(202);
    gate.open();
    await untilStatus(third, 'completed');
    expect(begun).not.toContain(second);
    expect(await isKnownToTemporal(second)).toBe(false);
  });

  it('are cancelled although somebody is starting them, whose workflow ends by itself', async () => {
    const first = await held();
    const second = await submit();
    const seen = await rowOf(second);
    await client.act(second, 'cancel');
    gate.open();
    await untilStatus(first, 'completed');
    // What a process does that has read the row before it was cancelled.
    expect(await other.app.get(TrainingRunsService).start(seen)).toBe('open');
    await expect(harness.client.workflow.getHandle(second).result()).rejects.toThrow();
    const { events } = await harness.client.workflow.getHandle(second).fetchHistory();
    expect(JSON.stringify(events)).toContain('only the API starts workflows');
    expect(await client.getRun(second)).toMatchObject({ status: 'cancelled', started_at: null });
  });

  it('pass nobody who waits when they are revived', async () => {
    const first = await held();
    const second = await submit();
    const third = await submit();
    expect(await client.act(third, 'cancel')).toMatchObject({ status: 'cancelled' });
    const fourth = await submit();
    await client.act(third, 'revive');
    expect(await Promise.all([second, third, fourth].map(position))).toEqual([1, 3, 2]);
    gate.open();
    for (const id of [first, second, third, fourth]) await untilStatus(id, 'completed');
    expect(begun).toEqual([first, second, fourth, third]);
    expect(most).toBe(1);
  });

  it('keep their place while they are paused, and give it up when they end', async () => {
    const first = await held();
    await client.pause(first);
    gate.open();
    await untilStatus(first, 'paused');
    const second = await submit();
    for (const { app } of [api, other]) await app.get(ReconcilerService).reconcile();
    expect(await position(second)).toBe(1);
    await client.act(first, 'cancel');
    await untilStatus(second, 'completed');
  });

  it('do not wait for ever for one whose workflow is gone', async () => {
    const first = await held();
    const second = await submit();
    await harness.client.workflow.getHandle(first).terminate('by hand');
    const reconciler = api.app.get(ReconcilerService);
    await reconciler.reconcile();
    expect(await status(second)).toBe('queued');
    await reconciler.reconcile();
    expect(await status(first)).toBe('failed');
    await untilStatus(second, 'completed');
  });
});
