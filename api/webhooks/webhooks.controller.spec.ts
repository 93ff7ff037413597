import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadOperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import {
  AuditEntry,
  IdempotencyKey,
  TrainingRun,
  Webhook,
  WebhookDelivery,
} from '../../infra/database/entities/index.js';
import { PROJECT_EVENT_TYPES } from '../../contracts/events.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { untilSomebodyWaits } from '../../infra/database/testing/lock-wait.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { addDelivery, addWebhook } from '../../infra/database/testing/webhook-rows.js';
import { until } from '../../test/support/started-run.js';
import type { ApiErrorBody } from '../common/api-error.js';
import type { List } from '../common/list.dto.js';
import { TestApi } from '../testing/test-api.js';
import type { DeliveryDto } from './delivery.dto.js';
import type { CreatedWebhookDto, WebhookDto } from './webhook.dto.js';
import { WebhooksController } from './webhooks.controller.js';

const URL = 'https://receiver.test/events';

describe(WebhooksController, () => {
  let api: TestApi;
  let project: string;
  let key: string;
  let run: string;
  let projects = 0;

  beforeAll(async () => {
    const operator = loadOperatorFile(join(PROJECT_ROOT, 'infra/local/operator.yaml'));
    api = await TestApi.start({ operator: { ...operator, webhooks: { addresses: ['10.1.0.0/16'] } } });
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    api.workflows.failure = undefined;
    project = `team-${++projects}`;
    key = await createApiKey(api.database.dataSource, project);
    const row = trainingRunRow({ project, status: 'running' });
    await rows().getRepository(TrainingRun).insert(row);
    run = row.id;
  });

  const rows = () => api.database.dataSource;
  const send = (method: 'get' | 'post' | 'patch' | 'delete', path: string, body?: object, by = key) => {
    const request = api.request(method, `/v1/${path}`, by);
    return body === undefined ? request : request.send(body);
  };
  const create = async (body: object = {}): Promise<CreatedWebhookDto> =>
    (await send('post', 'webhooks', { url: URL, ...body }).expect(201)).body as CreatedWebhookDto;
  const deliveries = async (webhook: string, query = ''): Promise<DeliveryDto[]> =>
    ((await send('get', `webhooks/${webhook}/deliveries${query}`).expect(200)).body as List<DeliveryDto>).data;
  const told = async (webhook: string) => (await deliveries(webhook)).map(({ type, subject }) => [type, subject]);
  const tell = (step: number): Promise<number> =>
    rows().transaction((manager) => appendEvent(manager, run, `step/${step}`, 'step.completed', { step }));
  const change = async (id: string, body: object) =>
    (await send('patch', `webhooks/${id}`, body).expect(200)).body as WebhookDto;
  const startsOf = (id: string) => api.workflows.calls.filter(([name, of]) => name === 'start' && of === id).length;

  it('shows the secret once, and nothing else ever does', async () => {
    const answer = await send('post', 'webhooks', { url: URL, description: 'our queue' }).expect(201);
    const { secret, ...webhook } = answer.body as CreatedWebhookDto;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(answer.headers).toMatchObject({ location: `/v1/webhooks/${webhook.id}`, 'cache-control': 'no-store' });
    expect(webhook).toMatchObject({ object: 'webhook', url: URL, description: 'our queue', events: null });
    await tell(1);
    const texts = [
      (await send('get', `webhooks/${webhook.id}`).expect(200)).text,
      (await send('get', 'webhooks').expect(200)).text,
      (await send('get', `webhooks/${webhook.id}/deliveries`).expect(200)).text,
      (await send('patch', `webhooks/${webhook.id}`, { description: 'ours' }).expect(200)).text,
      (await send('get', 'events').expect(200)).text,
      JSON.stringify(await rows().getRepository(AuditEntry).find()),
      JSON.stringify(await rows().getRepository(IdempotencyKey).find()),
      JSON.stringify(await rows().getRepository(Webhook).find()),
    ];
    for (const text of texts) expect(text).not.toContain(secret!.slice('whsec_'.length));
  });

  it('shows nothing the second time with one Idempotency-Key, and forgets the key with the webhook', async () => {
    const post = (body: object) => send('post', 'webhooks', body).set('Idempotency-Key', 'once');
    const first = (await post({ url: URL }).expect(201)).body as CreatedWebhookDto;
    expect((await post({ url: URL }).expect(200)).body).toEqual({ ...first, secret: null });
    await post({ url: `${URL}/2` }).expect(409);
    await send('delete', `webhooks/${first.id}`).expect(204);
    expect((await post({ url: URL }).expect(201)).body).not.toMatchObject({ id: first.id });
  });

  it('is told of each event of its types since it is there, in the transaction of the event', async () => {
    await tell(1);
    const all = await create();
    const steps = await create({ events: ['step.completed'] });
    const others = await create({ events: ['run.failed', 'run.completed'] });
    await tell(2);
    const lost = rows().transaction(async (manager) => {
      await appendEvent(manager, run, 'step/3', 'step.completed', { step: 3 });
      throw new Error('rolled back');
    });
    await expect(lost).rejects.toThrow('rolled back');
    const asked = await send('post', 'agent_flows', { question: 'What is 1 plus 1?' }).expect(201);
    expect(await told(all.id)).toEqual([
      ['flow.queued', (asked.body as { id: string }).id],
      ['step.completed', run],
    ]);
    expect(await told(steps.id)).toEqual([['step.completed', run]]);
    expect(await told(others.id)).toEqual([]);
    expect(await deliveries(steps.id)).toEqual([
      expect.objectContaining({
        ...{ object: 'webhook_delivery', webhook: steps.id, sequence: 2, status: 'pending', attempts: 0, replays: 0 },
        ...{ attempted_at: null, next_attempt_at: null, response_status: null, response: null, error: null },
      }),
    ]);
  });

  it('starts one workflow for each delivery, also if Temporal is not there at first', async () => {
    const { id } = await create();
    api.workflows.failure = new Error('Temporal is not there');
    await tell(1);
    const [first] = await deliveries(id);
    await until(async () => (await dueIn(first.id)) > 0);
    api.workflows.failure = undefined;
    // It was taken up, and is due again a little later.
    await rows().query('UPDATE webhook_deliveries SET due_at = now() WHERE id = $1', [first.id]);
    await tell(2);
    const [second] = await deliveries(id);
    await until(async () => startsOf(`${first.id}/0`) > 0 && startsOf(`${second.id}/0`) > 0);
    await until(async () => (await dueIn(first.id)) > 60 && (await dueIn(second.id)) > 60);
    await tell(3);
    await until(async () => (await Promise.all((await deliveries(id)).map((d) => dueIn(d.id)))).every((s) => s > 60));
    for (const delivery of await deliveries(id)) expect(startsOf(`${delivery.id}/0`)).toBe(1);
  });

  /** Seconds until the API looks after a delivery. */
  const dueIn = async (id: string): Promise<number> => {
    const { dueAt } = await rows().getRepository(WebhookDelivery).findOneByOrFail({ id });
    return (dueAt.getTime() - Date.now()) / 1000;
  };

  it('that is disabled is told of nothing, and of nothing later', async () => {
    const { id } = await create();
    expect(await change(id, { status: 'disabled' })).toMatchObject({
      ...{ status: 'disabled', disabled_reason: 'it was disabled over the API' },
    });
    await tell(1);
    const { body } = await send('post', `webhooks/${id}/test`).expect(409);
    expect(body).toMatchObject({ error: { code: 'webhook_disabled' } });
    expect(await change(id, { status: 'enabled' })).toMatchObject({ status: 'enabled', disabled_reason: null });
    expect(await told(id)).toEqual([]);
    await tell(2);
    expect(await told(id)).toEqual([['step.completed', run]]);
  });

  it('changes what is named and nothing else', async () => {
    const { id } = await create({ description: 'a', events: ['run.failed'] });
    const made = (await send('get', `webhooks/${id}`).expect(200)).body as WebhookDto;
    expect(await change(made.id, {})).toEqual(made);
    expect(await change(made.id, { url: `${URL}/2` })).toEqual({ ...made, url: `${URL}/2` });
    expect(await change(made.id, { events: null, description: '' })).toMatchObject({ events: null, description: '' });
    await rows().getRepository(Webhook).update({ id: made.id }, { status: 'disabled', disabledReason: 'gone' });
    expect(await change(made.id, { status: 'disabled' })).toMatchObject({ disabled_reason: 'gone' });
  });

  it.each([
    [
      'a private address',
      'http://10.0.0.5/hook',
      /^url: 10\.0\.0\.5 is not a public address\. The operator's file says/,
    ],
    ['the own machine', 'http://127.0.0.1:8400/v1/training_runs'],
    ['the own machine, spelled otherwise', 'http://0x7f.1/'],
    ['the metadata of a cloud', 'http://169.254.169.254/latest/meta-data'],
    ['an IPv6 loopback', 'http://[::1]/'],
    [
      'a user and a password',
      'https://me:pass@127.0.0.1/',
      /^url: the address must not hold a user name or a password\.$/,
    ],
    [
      'another protocol',
      'ftp://receiver.test/',
      /^The request cannot be accepted:\n- url: must be an http:\/\/ or https:/,
    ],
    ['a file', 'file:///etc/passwd'],
    [
      'no address',
      'receiver.test',
      /url: must be an http:\/\/ or https:\/\/ address, as in https:\/\/example\.org\/hook$/,
    ],
    ['a port that is none', 'http://1.1.1.1:99999/', /url: has the port 99999: the largest is 65535$/],
    ['a long address', `https://receiver.test/${'a'.repeat(2_048)}`, /url: must have at most 2048 characters$/],
  ])('goes not to %s', async (_, url, message = /./) => {
    const { error } = (await send('post', 'webhooks', { url }).expect(400)).body as ApiErrorBody;
    expect(error).toMatchObject({ param: 'url', message: expect.stringMatching(message) });
    const { id } = await create();
    await send('patch', `webhooks/${id}`, { url }).expect(400);
  });

  it('goes where the operator allows', async () => {
    expect(await create({ url: 'http://10.1.2.3:8080/hook' })).toMatchObject({ url: 'http://10.1.2.3:8080/hook' });
  });

  it.each([
    ['an unknown type', { events: ['run.exploded'] }],
    ['a type twice', { events: ['run.failed', 'run.failed'] }],
    ['no type', { events: [] }],
    ['a secret of its own', { secret: 'whsec_c2VjcmV0' }],
    ['a long description', { description: 'a'.repeat(201) }],
  ])('is not created with %s', async (_, body) => {
    await send('post', 'webhooks', { url: URL, ...body }).expect(400);
  });

  it('names every type that there is where an unknown one is asked for', async () => {
    const { error } = (await send('post', 'webhooks', { url: URL, events: ['run.exploded'] }).expect(400))
      .body as ApiErrorBody;
    expect(PROJECT_EVENT_TYPES.filter((type) => !error.message.includes(`"${type}"`))).toEqual([]);
  });

  it('are 20 at most in a project, also of those that are asked for at once', async () => {
    for (let n = 0; n < 19; n++) await addWebhook(rows(), { project, url: URL });
    const runner = rows().createQueryRunner();
    await runner.startTransaction();
    // Who counts is not held up, who inserts is.
    await runner.query('LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE');
    const asked = Array.from({ length: 4 }, () => send('post', 'webhooks', { url: URL }).then(({ status }) => status));
    await untilSomebodyWaits(rows(), 4);
    await runner.commitTransaction();
    await runner.release();
    expect((await Promise.all(asked)).toSorted()).toEqual([201, 409, 409, 409]);
    const { body } = await send('post', 'webhooks', { url: URL }).expect(409);
    expect(body).toMatchObject({ error: { code: 'too_many_webhooks' } });
    expect(await rows().getRepository(Webhook).countBy({ project })).toBe(20);
  });

  it('are listed newest first, in pages', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.unshift((await create()).id);
    const page = (await send('get', 'webhooks?limit=2').expect(200)).body as List<WebhookDto>;
    expect(page).toMatchObject({ has_more: true, first_id: ids[0], last_id: ids[1] });
    const next = (await send('get', `webhooks?limit=100&after=${ids[1]}`).expect(200)).body as List<WebhookDto>;
    expect(next.data.map(({ id }) => id)).toEqual(ids.slice(2));
  });

  it('is read with `read` and changed with `admin`', async () => {
    const { id } = await create();
    const [delivery] = [await addDelivery(rows(), { project, webhook: id, status: 'failed' })];
    const limited = (scope: 'read' | 'submit' | 'admin') => createApiKey(rows(), project, { scopes: [scope] });
    const [read, submit, admin] = [await limited('read'), await limited('submit'), await limited('admin')];
    for (const path of ['webhooks', `webhooks/${id}`, `webhooks/${id}/deliveries`, `webhook_deliveries/${delivery}`]) {
      await send('get', path, undefined, read).expect(200);
      await send('get', path, undefined, admin).expect(403);
    }
    const writes = [
      ['patch', `webhooks/${id}`, 200],
      ['post', `webhooks/${id}/test`, 201],
      ['post', `webhook_deliveries/${delivery}/replay`, 200],
      ['delete', `webhooks/${id}`, 204],
    ] as const;
    for (const [method, path, status] of writes) {
      for (const lesser of [read, submit]) await send(method, path, {}, lesser).expect(403);
      await send(method, path, {}, admin).expect(status);
    }
    // How a request ended is written after its answer.
    const written = { project, method: 'DELETE', status: 204, target: id };
    await until(() => rows().getRepository(AuditEntry).existsBy(written));
  });

  it('is tested by an event that says nothing, and what it was told is found by status, in pages', async () => {
    const { id } = await create();
    const sent = (await send('post', `webhooks/${id}/test`).expect(201)).body as DeliveryDto;
    expect(sent).toMatchObject({ webhook: id, type: 'webhook.test', subject: id, sequence: null, status: 'pending' });
    await until(async () => startsOf(`${sent.id}/0`) === 1);
    const failed = await addDelivery(rows(), { project, webhook: id, status: 'failed' });
    const idsOf = async (query: string) => (await deliveries(id, query)).map((delivery) => delivery.id);
    expect(await idsOf('')).toEqual([failed, sent.id]);
    expect(await idsOf('?status=failed')).toEqual([failed]);
    expect(await idsOf('?limit=1')).toEqual([failed]);
    expect(await idsOf(`?after=${failed}`)).toEqual([sent.id]);
    await send('get', `webhooks/${id}/deliveries?status=lost`).expect(400);
  });

  it('is sent a delivery that waits without the wait, once, and none twice at a time', async () => {
    const { id } = await create();
    const hours = new Date(Date.now() + 10 * 3_600_000);
    const waiting = { attempts: 5, error: 'it did not answer', nextAttemptAt: hours, dueAt: hours };
    const delivery = await addDelivery(rows(), { project, webhook: id, ...waiting });
    const replay = () => send('post', `webhook_deliveries/${delivery}/replay`);
    const answers = await Promise.all([replay(), replay(), replay()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    expect(answers.find(({ status }) => status === 200)?.body).toMatchObject({
      ...{ id: delivery, status: 'pending', replays: 1, attempts: 0, next_attempt_at: null },
    });
    await until(async () => startsOf(`${delivery}/1`) === 1);
    expect(startsOf(`${delivery}/2`)).toBe(0);
    const { error } = (await replay().expect(409)).body as ApiErrorBody;
    expect(error).toMatchObject({
      code: 'delivery_pending',
      message: `${delivery} is being sent: wait for what comes of it.`,
    });
  });

  it('that is disabled fails what is pending at once, and nothing else', async () => {
    const { id } = await create();
    const other = await create();
    await tell(1);
    const waiting = { attempts: 3, error: 'it did not answer', nextAttemptAt: new Date(Date.now() + 3_600_000) };
    await addDelivery(rows(), { project, webhook: id, ...waiting });
    const taken = await addDelivery(rows(), { project, webhook: id, status: 'delivered' });
    await change(id, { status: 'disabled' });
    const [last, ...pending] = await deliveries(id);
    expect(last).toMatchObject({ id: taken, status: 'delivered', error: null });
    const failed = { status: 'failed', error: 'the webhook is disabled', next_attempt_at: null };
    expect(pending).toEqual([expect.objectContaining({ ...failed, attempts: 3 }), expect.objectContaining(failed)]);
    expect(await deliveries(other.id)).toEqual([expect.objectContaining({ status: 'pending' })]);
  });

  it('is sent a delivery again that is over, and not one that is being sent', async () => {
    const { id } = await create();
    const failed = { status: 'failed', attempts: 8, error: 'it did not answer' } as const;
    const delivery = await addDelivery(rows(), { project, webhook: id, ...failed });
    const replay = () => send('post', `webhook_deliveries/${delivery}/replay`);
    const again = (await replay().expect(200)).body as DeliveryDto;
    expect(again).toMatchObject({ id: delivery, status: 'pending', attempts: 0, replays: 1 });
    await until(async () => startsOf(`${delivery}/1`) === 1);
    expect((await replay().expect(409)).body).toMatchObject({ error: { code: 'delivery_pending' } });
    await rows().getRepository(WebhookDelivery).update({ id: delivery }, { status: 'delivered' });
    const answers = await Promise.all([replay(), replay(), replay()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    expect((await send('get', `webhook_deliveries/${delivery}`).expect(200)).body).toMatchObject({ replays: 2 });
    await rows().getRepository(WebhookDelivery).update({ id: delivery }, { status: 'failed' });
    await change(id, { status: 'disabled' });
    expect((await replay().expect(409)).body).toMatchObject({ error: { code: 'webhook_disabled' } });
  });

  it('goes with all that it was told; an event that is being written is waited for', async () => {
    const { id } = await create();
    const runner = rows().createQueryRunner();
    await runner.startTransaction();
    await appendEvent(runner.manager, run, 'step/1', 'step.completed', { step: 1 });
    await runner.query('SET CONSTRAINTS ALL IMMEDIATE');
    const removing = send('delete', `webhooks/${id}`).then(({ status }) => status);
    await untilSomebodyWaits(rows());
    await runner.commitTransaction();
    await runner.release();
    expect(await removing).toBe(204);
    await tell(2);
    expect(await rows().getRepository(WebhookDelivery).countBy({ webhook: id })).toBe(0);
    await send('get', `webhooks/${id}`).expect(404);
    await send('delete', `webhooks/${id}`).expect(404);
  });

  it('is told of a deletion, and nothing more of what was deleted', async () => {
    const { id } = await create();
    await tell(1);
    await rows().getRepository(TrainingRun).update({ id: run }, { status: 'completed', finishedAt: new Date() });
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
    const { status } = await send('delete', `training_runs/${run}`);
    expect([202, 204]).toContain(status);
    await until(async () => JSON.stringify(await told(id)) === JSON.stringify([['run.deleted', run]]));
  });
});
