import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { scriptedActivities } from '../../test/support/scripted-activities.js';
import { until } from '../../test/support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../../test/support/workflow-harness.js';
import { searchAttributes } from '../../contracts/search-attributes.js';
import { FailureType } from '../../contracts/failures.js';
import { ApiClient } from '../../cli/client/api-client.js';
import { runCli } from '../../cli/testing/test-cli.js';
import { ReconcilerService } from '../submissions/reconciler.service.js';
import { TestApi } from '../testing/test-api.js';
import { isGone, Workflows } from '../temporal/workflows.js';

const CONFIG = {
  model: 'tiny-random',
  steps: 2,
  training: { queries_per_step: 1, group_size: 2 },
  evaluation: { questions: 1, yardsticks: false },
};

const NOT_FINITE = ApplicationFailure.create({
  message: 'the loss is not finite',
  type: FailureType.NonFiniteLoss,
  nonRetryable: true,
  details: [{ groups: [0] }],
});

describe('training runs in Temporal', () => {
  let harness: WorkflowHarness;
  let api: TestApi;
  let client: ApiClient;
  let nextLossIsFinite = true;

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    const workflows = new Workflows(harness.client, harness.environment.connection, TEST_SETTINGS);
    api = await TestApi.start({ workflows });
    client = new ApiClient({ url: api.url, key: api.key });
    const { dataSource } = api.database;
    const setRunStatus = async (input: Parameters<typeof writeRunStatus>[1]): Promise<void> =>
      void (await writeRunStatus(dataSource, input));
    const scripted = scriptedActivities({ agent: { setRunStatus } });
    const { trainStep } = scripted.trainer;
    scripted.trainer.trainStep = (request) => {
      if (nextLossIsFinite) return trainStep(request);
      nextLossIsFinite = true;
      return Promise.reject(NOT_FINITE);
    };
    await harness.work(scripted);
  });
  afterAll(async () => {
    await api?.stop();
    await harness?.stop();
  });

  const submit = (overrides: object = {}) =>
    client.createRun({ body: JSON.stringify({ ...CONFIG, ...overrides }), contentType: 'application/json' });
  const follow = async (id: string): Promise<string[]> => {
    const types: string[] = [];
    for await (const { type } of client.followEvents(id)) types.push(type);
    return types;
  };

  it('starts a run that completes and then takes no verb', async () => {
    const { id } = await submit();
    expect(await follow(id)).toEqual(['run.queued', 'run.running', 'run.completed']);
    expect(await client.getRun(id)).toMatchObject({ status: 'completed', step: 2, policy: `${id}@2` });
    await expect(client.pause(id)).rejects.toMatchObject({
      status: 409,
      message: `${id} is completed; it cannot be paused.`,
    });
    const description = await harness.client.workflow.getHandle(id).describe();
    expect(description.typedSearchAttributes.get(searchAttributes.project)).toBe('default');
    expect(await description.staticSummary()).toBe('training run: 2 steps of tiny-random');
    const count = async (query: string) => (await harness.client.workflow.count(query)).count;
    // The run, two steps of a group and two rollouts, and evaluations of its policies. Temporal lists them a little later.
    await until(async () => (await count(`Project = "default" AND TrainingRun = "${id}"`)) >= 7);
    expect(await count(`Project = "default" AND TrainingRun = "${id}"`)).toBe(await count(`TrainingRun = "${id}"`));
  });

  it('deletes the histories of a run with those of its children, and of no other run', async () => {
    const [{ id }, other] = await Promise.all([submit(), submit()]);
    await Promise.all([follow(id), follow(other.id)]);
    const workflows = new Workflows(harness.client, harness.environment.connection, TEST_SETTINGS);
    const list = async (query: string) => {
      const ids: string[] = [];
      for await (const { workflowId } of harness.client.workflow.list({ query })) ids.push(workflowId);
      return ids;
    };
    const of = (run: string) => list(`WorkflowId = "${run}" OR WorkflowId STARTS_WITH "${run}/"`);
    const find = (run: string) => workflows.find({ id: run, type: 'trainingRun', workflow: null });
    await until(async () => (await Promise.all([find(id), find(other.id)])).every(isGone));
    const before = await of(other.id);
    expect(before.length).toBeGreaterThan(1);
    await until(async () => (await of(id)).length === before.length);
    await workflows.forget(id);
    await until(async () => (await of(id)).length === 0);
    expect(await find(id)).toMatchObject({ reason: expect.stringContaining('does not know it') });
    await workflows.forget(id);
    expect((await of(other.id)).toSorted()).toEqual(before.toSorted());
  });

  it('pauses, tells its progress, is extended, resumes and is cancelled', async () => {
    const { id } = await submit({ steps: 1_000 });
    expect((await client.pause(id)).status).toBe('pausing');
    expect(await client.progress(id)).toMatchObject({ steps: 1_000, pauseRequested: true });
    await client.extend(id, 1_001);
    await client.setLearningRate(id, 1e-5);
    expect(await client.progress(id)).toMatchObject({ steps: 1_001, learningRate: 1e-5 });
    expect((await client.resume(id)).status).toBe('running');
    const show = async () => (await runCli(client.access, 'runs', 'show', id)).lines.join('\n');
    await until(async () => /^now +(initialising|evaluating|between steps|step \d)/m.test(await show()));
    await client.act(id, 'cancel');
    expect((await follow(id)).slice(-2)).toEqual(['run.cancelling', 'run.cancelled']);
    expect(await show()).not.toMatch(/^now/m);
  });

  it('passes on what the workflow refuses', async () => {
    const { id } = await submit({ steps: 1_000 });
    await expect(client.extend(id, 1)).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('steps'),
    });
    await client.act(id, 'stop');
    expect((await follow(id)).at(-1)).toBe('run.completed');
  });

  it('decides about a step whose loss was not finite, and only then', async () => {
    nextLossIsFinite = false;
    const { id } = await submit({ steps: 1_000 });
    await until(async () => (await client.getRun(id)).status === 'paused');
    expect((await client.getRun(id)).failure).toEqual({
      type: 'NonFiniteLoss',
      message: 'the loss is not finite',
      groups: [0],
    });
    expect((await client.decide(id, { kind: 'learning-rate', learning_rate: 1e-6 })).status).toBe('running');
    await until(async () => (await client.progress(id)).step >= 1);
    expect(await client.progress(id)).toMatchObject({ learningRate: 1e-6 });
    await expect(client.decide(id, { kind: 'skip-step' })).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('nothing to decide'),
    });
    await client.act(id, 'cancel');
    expect((await follow(id)).at(-1)).toBe('run.cancelled');
  });

  it('keeps a run queued where there is no Temporal server, and says so', async () => {
    const away = Connection.lazy({ address: '127.0.0.1:9' });
    const workflows = new Workflows(new Client({ connection: away }), away, TEST_SETTINGS, 500);
    const without = await TestApi.start({ workflows });
    try {
      await without.request('get', '/health').expect(503);
      const { body } = await without.request('post', '/v1/training_runs').send(CONFIG).expect(201);
      expect(body).toMatchObject({ status: 'queued' });
      const { id } = body as { id: string };
      const refused = await without.request('post', `/v1/training_runs/${id}/pause`).expect(503);
      expect(refused.body).toMatchObject({ error: { code: 'temporal_unavailable' } });
    } finally {
      await without.stop();
      await away.close();
    }
  });

  it('reconciles queued runs', async () => {
    const { id } = await submit();
    const reconciler = api.app.get(ReconcilerService);
    await Promise.all([reconciler.reconcile(), reconciler.reconcile()]);
    expect(await follow(id)).toEqual(['run.queued', 'run.running', 'run.completed']);
    await reconciler.reconcile();
    expect(await client.listEvents(id)).toHaveLength(3);
  });
});
