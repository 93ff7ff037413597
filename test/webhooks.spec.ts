import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { redactingErrors } from '../activities/failures/redacting-errors.js';
import { LocalServer } from '../activities/tools/testing/local-server.js';
import { createWebhookActivities } from '../activities/webhooks/webhook.activities.js';
import { loadOperatorFile } from '../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { TrainingRun, Webhook, WebhookDelivery } from '../infra/database/entities/index.js';
import { appendEvent } from '../infra/database/run-events.js';
import { trainingRunRow } from '../infra/database/testing/training-run-row.js';
import { TestApi } from '../api/testing/test-api.js';
import { Workflows } from '../api/temporal/workflows.js';
import { createAgentWorkers, runTogether } from '../worker/agent/agent-workers.js';
import type { Worker } from '@temporalio/worker';
import { scriptedActivities } from './support/scripted-activities.js';
import { until } from './support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from './support/workflow-harness.js';

jest.setTimeout(120_000);

const ADDRESSES = ['127.0.0.0/8'];

interface Delivery {
  id: string;
  status: string;
  attempts: number;
  error: string | null;
}

/** The API, PostgreSQL, Temporal and the agent worker's workers as they are; the receivers are of the tests. */
describe('webhooks', () => {
  let harness: WorkflowHarness;
  let api: TestApi;
  let run: string;
  let workers: Worker[] = [];
  let running: Promise<void>;
  const servers: LocalServer[] = [];

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    const { client, environment } = harness;
    const operator = loadOperatorFile(join(PROJECT_ROOT, 'infra/local/operator.yaml'));
    api = await TestApi.start({
      workflows: new Workflows(client, environment.connection, TEST_SETTINGS),
      operator: { ...operator, webhooks: { addresses: ADDRESSES } },
    });
    const { dataSource } = api.database;
    const row = trainingRunRow({ status: 'running' });
    await dataSource.getRepository(TrainingRun).insert(row);
    run = row.id;
    const { agent } = scriptedActivities({ agent: createWebhookActivities(dataSource, { addresses: ADDRESSES }) });
    workers = await createAgentWorkers({
      connection: harness.environment.nativeConnection,
      namespace: harness.client.options.namespace,
      workflowBundle: harness.bundle,
      providers: {},
      activities: redactingErrors(agent),
    });
    running = runTogether(workers);
  });
  afterAll(async () => {
    for (const worker of workers) worker.shutdown();
    await running;
    await api?.stop();
    await harness?.stop();
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    for (const rows of [Webhook, WebhookDelivery]) await api.database.dataSource.getRepository(rows).deleteAll();
  });

  let step = 0;
  const tell = (): Promise<number> => {
    step += 1;
    const data = { step, metrics: { note: 'größer 🙂' } };
    return api.database.dataSource.transaction((manager) =>
      appendEvent(manager, run, `step/${step}`, 'step.completed', data),
    );
  };
  const listen = async (...args: Parameters<typeof LocalServer.start>): Promise<LocalServer> => {
    const server = await LocalServer.start(...args);
    servers.push(server);
    return server;
  };
  const create = async (url: string): Promise<{ id: string; secret: string }> =>
    (await api.request('post', '/v1/webhooks').send({ url }).expect(201)).body as { id: string; secret: string };
  const deliveries = async (webhook: string): Promise<Delivery[]> =>
    (
      (await api.request('get', `/v1/webhooks/${webhook}/deliveries`).query({ limit: 100 }).expect(200)).body as {
        data: Delivery[];
      }
    ).data;
  const untilAll = (webhook: string, status: string) =>
    until(async () => {
      const found = await deliveries(webhook);
      return found.length > 0 && found.every((delivery) => delivery.status === status);
    });
  /** With what its payloads hold. */
  const historyOf = async (id: string): Promise<string> => {
    const history = historyToJSON(await harness.client.workflow.getHandle(id).fetchHistory());
    return history.replace(/"data": *"([^"]+)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
  };

  it('a receiver that was down and is up again has each event once, and no history holds its secret (I6)', async () => {
    const port = await freePort();
    const { id, secret } = await create(`http://127.0.0.1:${port}/`);
    await tell();
    await until(async () => (await deliveries(id))[0]?.attempts === 1);
    const receiver = await listen((_, response) => response.end(`thanks, ${secret}`), '127.0.0.1', port);
    await untilAll(id, 'delivered');
    const [{ id: delivery, attempts }] = await deliveries(id);
    expect([attempts, receiver.requests.length]).toEqual([2, 1]);
    const [{ headers, body }] = receiver.requests;
    expect(headers['webhook-id']).toBe(delivery);
    const event = new StandardWebhook(secret).verify(body, headers as Record<string, string>);
    expect(event).toMatchObject({
      type: 'step.completed',
      subject: run,
      data: { step, metrics: { note: 'größer 🙂' } },
    });
    const handle = harness.client.workflow.getHandle(`${delivery}/0`);
    await handle.result();
    const history = await historyOf(`${delivery}/0`);
    expect(history).toContain(`{"id":"${delivery}","replay":0}`);
    for (const part of [secret.slice('whsec_'.length), `127.0.0.1:${port}`]) expect(history).not.toContain(part);
  });

  it('a delivery whose workflow is gone has another one when it is overdue', async () => {
    let status = 500;
    const receiver = await listen((_, response) => response.writeHead(status).end());
    const { id } = await create(receiver.url);
    await tell();
    await until(async () => (await deliveries(id))[0]?.attempts === 1);
    const [{ id: delivery }] = await deliveries(id);
    await harness.client.workflow.getHandle(`${delivery}/0`).terminate('by hand');
    status = 200;
    const overdue = { nextAttemptAt: new Date(), dueAt: new Date() };
    await api.database.dataSource.getRepository(WebhookDelivery).update({ id: delivery }, overdue);
    await untilAll(id, 'delivered');
    expect((await deliveries(id))[0].attempts).toBe(2);
  });

  it('a delivery that failed is replayed under its id with its body', async () => {
    let status = 410;
    const receiver = await listen((_, response) => response.writeHead(status).end());
    const { id } = await create(receiver.url);
    await tell();
    await untilAll(id, 'failed');
    const [{ id: delivery }] = await deliveries(id);
    status = 200;
    await api.request('patch', `/v1/webhooks/${id}`).send({ status: 'enabled' }).expect(200);
    await api.request('post', `/v1/webhook_deliveries/${delivery}/replay`).expect(200);
    await until(async () => (await deliveries(id)).find((found) => found.id === delivery)?.status === 'delivered');
    const sent = receiver.requests.filter(({ headers }) => headers['webhook-id'] === delivery);
    expect(sent).toHaveLength(2);
    expect(sent[0].body).toBe(sent[1].body);
  });

  it('a delivery that waits for its next attempt is replayed at once, and the workflow that waited sends nothing', async () => {
    let status = 500;
    const receiver = await listen((_, response) => response.writeHead(status).end());
    const { id } = await create(receiver.url);
    await tell();
    await until(async () => (await deliveries(id))[0]?.attempts === 1);
    const [{ id: delivery }] = await deliveries(id);
    status = 200;
    await api.request('post', `/v1/webhook_deliveries/${delivery}/replay`).expect(200);
    await untilAll(id, 'delivered');
    await harness.client.workflow.getHandle(`${delivery}/0`).result();
    expect((await deliveries(id))[0].attempts).toBe(1);
    expect(receiver.requests.map(({ headers }) => headers['webhook-id'])).toEqual([delivery, delivery]);
  });

  it('a webhook that is deleted in the middle is sent nothing more, and its workflow ends', async () => {
    const receiver = await listen((_, response) => response.writeHead(500).end());
    const { id } = await create(receiver.url);
    await tell();
    await until(async () => (await deliveries(id))[0]?.attempts === 1);
    const [{ id: delivery }] = await deliveries(id);
    await api.request('delete', `/v1/webhooks/${id}`).expect(204);
    await harness.client.workflow.getHandle(`${delivery}/0`).result();
    expect(receiver.requests).toHaveLength(1);
  });

  it('a receiver that answers nothing holds up neither other webhooks nor the other calls of the worker', async () => {
    const silent = await listen(() => undefined);
    const { id: dead } = await create(silent.url);
    for (let n = 0; n < 100; n++) await tell();
    await until(async () => silent.requests.length >= 16);
    const receiver = await listen((_, response) => response.end());
    const { id } = await create(receiver.url);
    await tell();
    await untilAll(id, 'delivered');
    expect((await deliveries(dead)).some(({ status }) => status === 'delivered')).toBe(false);
    const evaluation = { model: 'tiny-random', benchmarks: [{ name: 'atlas', questions: 1 }], policies: ['base'] };
    const { body } = await api.request('post', '/v1/evaluations').send(evaluation).expect(201);
    await harness.client.workflow.getHandle((body as { id: string }).id).result();
  });

  it('the receiver of docs/webhooks.md takes what is signed, once, and refuses what is not', async () => {
    const port = await freePort();
    const { id, secret } = await create(`http://127.0.0.1:${port}/`);
    const receiver = runExample({ WEBHOOK_SECRET: secret, PORT: String(port) });
    try {
      await until(() =>
        fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: '{}' }).then(isRefused, () => false),
      );
      const test = await api.request('post', `/v1/webhooks/${id}/test`).expect(201);
      await untilAll(id, 'delivered');
      await api.request('post', `/v1/webhook_deliveries/${(test.body as Delivery).id}/replay`).expect(200);
      await untilAll(id, 'delivered');
      await tell();
      await until(async () => receiver.lines.length > 1);
      expect(receiver.lines).toEqual([`webhook.test ${id}`, `step.completed ${run}`]);
    } finally {
      receiver.process.kill();
    }
  });

  it('a delivery goes on while no API is there, which this test ends', async () => {
    let tries = 0;
    const receiver = await listen((_, response) => {
      tries += 1;
      if (tries > 1) return void response.end();
      void api.app.close().then(() => response.writeHead(503).end());
    });
    const { id: webhook } = await create(receiver.url);
    await tell();
    const rows = api.database.dataSource.getRepository(WebhookDelivery);
    await until(() => rows.existsBy({ webhook, status: 'delivered' }));
    expect(await rows.findBy({ webhook })).toEqual([expect.objectContaining({ attempts: 2 })]);
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });
});

function isRefused({ status }: Response): boolean {
  return status === 400;
}

/** The document's receiver, as a process of its own. */
function runExample(variables: Record<string, string>): { process: ChildProcess; lines: string[] } {
  const [, code] = /```js\n(.*?)```/s.exec(readFileSync(join(PROJECT_ROOT, 'docs/webhooks.md'), 'utf8'))!;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { process: child, lines };
}

/** Nobody listens on it now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
