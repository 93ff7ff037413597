import { createHmac } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import type { AttemptedDelivery, WebhookActivities } from '../../contracts/webhooks.js';
import { ProjectEvent, Webhook, WebhookDelivery } from '../../infra/database/entities/index.js';
import { failPendingDeliveries } from '../../infra/database/fail-pending-deliveries.js';
import { BreakableDatabase } from '../../infra/database/testing/breakable-database.js';
import { untilSomebodyWaits } from '../../infra/database/testing/lock-wait.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { addDelivery, addWebhook } from '../../infra/database/testing/webhook-rows.js';
import { LocalServer } from '../tools/testing/local-server.js';
import { createWebhookActivities } from './webhook.activities.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The receivers' address, which the operator permits; nothing else of this machine is. */
const PERMITTED = '127.0.0.2';
const NAMES: Record<string, string[]> = {
  'receiver.test': [PERMITTED],
  'inside.test': ['10.0.0.5'],
  'metadata.test': ['169.254.169.254'],
  'hidden.test': ['127.0.0.1'],
  'both.test': [PERMITTED, '127.0.0.1'],
};

function resolve(host: string): Promise<LookupAddress[]> {
  const found = NAMES[host];
  if (!found) return Promise.reject(Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }));
  return Promise.resolve(found.map((address) => ({ address, family: 4 })));
}

describe('a delivery to a webhook', () => {
  let database: TestDatabase;
  let activities: WebhookActivities;
  const servers: LocalServer[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    activities = createWebhookActivities(database.dataSource, { addresses: [`${PERMITTED}/32`], resolve });
  });
  afterAll(async () => database.drop());
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  const listen = async (answer: RequestListener, host = PERMITTED, port = 0): Promise<LocalServer> => {
    const server = await LocalServer.start(answer, host, port);
    servers.push(server);
    return server;
  };
  const answering = (status: number, headers = {}, body = '') =>
    listen((_, response) => response.writeHead(status, headers).end(body));
  const deliveries = () => database.dataSource.getRepository(WebhookDelivery);
  const rowOf = (id: string) => deliveries().findOneByOrFail({ id });
  const webhookOf = (id: string) => database.dataSource.getRepository(Webhook).findOneByOrFail({ id });
  const attempt = (id: string, by = activities, replay = 0): Promise<AttemptedDelivery> =>
    new MockActivityEnvironment().run(() => by.attemptDelivery({ id, replay }));
  /** The next attempt, without the wait for it. */
  const attemptNow = async (id: string): Promise<AttemptedDelivery> => {
    await deliveries().update({ id }, { nextAttemptAt: null });
    return attempt(id);
  };
  /** A webhook at this address, and something to tell it of. */
  const pendingTo = async (url: string, row: Partial<WebhookDelivery> = {}) => {
    const { id: webhook, secret } = await addWebhook(database.dataSource, { url });
    return { webhook, secret, id: await addDelivery(database.dataSource, { webhook, ...row }) };
  };

  it('is signed as Standard Webhooks has it, whatever is in it', async () => {
    const receiver = await answering(204);
    const data = { status: 'failed', failure: { type: 'Défaut', message: 'häßlich 東京 🙂 "\\" \u2028 </script>' } };
    const { id, secret } = await pendingTo(`${receiver.url}/hooks?of=me`, { data, sequence: 41 });
    expect(await attempt(id)).toEqual({ nextInMs: undefined });
    const [{ method, url, headers, body }] = receiver.requests;
    expect([method, url, headers['content-type']]).toEqual(['POST', '/hooks?of=me', 'application/json']);
    const occurredAt = (await rowOf(id)).occurredAt.toISOString();
    const event = { type: 'run.completed', timestamp: occurredAt, sequence: 41, subject: 'run-a', data };
    expect(new StandardWebhook(secret).verify(body, headers as Record<string, string>)).toEqual(event);
    // The same without the library.
    const hmac = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'));
    const signed = hmac.update(`${id}.${String(headers['webhook-timestamp'])}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signed}`);
    expect(await rowOf(id)).toMatchObject({
      ...{ status: 'delivered', attempts: 1, responseStatus: 204, response: '', error: null, nextAttemptAt: null },
      attemptedAt: expect.any(Date),
    });
  });

  it('comes again under the same id with the same body, over more than a day, and then fails', async () => {
    const receiver = await answering(500, {}, 'out of order');
    const { id } = await pendingTo(receiver.url);
    const delays = [5_000, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR];
    for (const [index, delay] of delays.entries()) {
      const { nextInMs } = await attemptNow(id);
      expect(nextInMs).toBeGreaterThanOrEqual(delay);
      expect(nextInMs).toBeLessThanOrEqual(1.1 * delay);
      const row = await rowOf(id);
      expect(row).toMatchObject({
        status: 'pending',
        attempts: index + 1,
        responseStatus: 500,
        response: 'out of order',
      });
      expect(row.error).toBe('the receiver answered with status 500');
      expect(row.nextAttemptAt!.getTime() - row.attemptedAt!.getTime()).toBe(nextInMs);
      expect(row.dueAt.getTime()).toBeGreaterThan(row.nextAttemptAt!.getTime());
    }
    expect(await attemptNow(id)).toEqual({ nextInMs: undefined });
    expect(await rowOf(id)).toMatchObject({ status: 'failed', attempts: 8, nextAttemptAt: null });
    expect(await attempt(id)).toEqual({});
    expect(receiver.requests).toHaveLength(8);
    expect(new Set(receiver.requests.map(({ body }) => body)).size).toBe(1);
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([id]));
  });

  it('that fails for good disables the webhook, and tells the project why, unless it has taken another since', async () => {
    const receiver = await answering(503);
    const dead = await pendingTo(receiver.url, { attempts: 7 });
    const waiting = { webhook: dead.webhook, nextAttemptAt: new Date(Date.now() + HOUR) };
    const other = await addDelivery(database.dataSource, waiting);
    await attempt(dead.id);
    expect(await rowOf(dead.id)).toMatchObject({ status: 'failed', attempts: 8, responseStatus: 503 });
    expect(await rowOf(other)).toMatchObject({
      status: 'failed',
      nextAttemptAt: null,
      error: 'the webhook is disabled',
    });
    const reason = 'a delivery failed in 8 attempts, and the receiver has taken no other since it was made';
    expect(await webhookOf(dead.webhook)).toMatchObject({ status: 'disabled', disabledReason: reason });
    const told = await database.dataSource.getRepository(ProjectEvent).findBy({ subject: dead.webhook });
    expect(told).toEqual([expect.objectContaining({ project: 'default', type: 'webhook.disabled', data: { reason } })]);

    const alive = await pendingTo(receiver.url, { attempts: 7 });
    const attemptedAt = new Date(Date.now() + 1_000);
    await addDelivery(database.dataSource, { webhook: alive.webhook, status: 'delivered', attemptedAt });
    await attempt(alive.id);
    expect(await rowOf(alive.id)).toMatchObject({ status: 'failed' });
    expect(await webhookOf(alive.webhook)).toMatchObject({ status: 'enabled' });
  });

  it.each([
    ['seconds', '600', 10 * MINUTE],
    ['less than its own delay', '1', 5_000],
    ['more than a day', String(365 * 24 * 3600), 24 * HOUR],
    ['nonsense', 'soon', 5_000],
  ])('waits as Retry-After asks: %s', async (_, asked, delay) => {
    const receiver = await answering(429, { 'retry-after': asked });
    const { id } = await pendingTo(receiver.url);
    const { nextInMs } = await attempt(id);
    expect(nextInMs).toBeGreaterThanOrEqual(delay);
    expect(nextInMs).toBeLessThanOrEqual(1.1 * delay);
  });

  it('that is answered with 410 fails at once and disables the webhook, and the next ones are not sent', async () => {
    const receiver = await answering(410, {}, 'go away');
    const { id, webhook } = await pendingTo(receiver.url);
    const next = await addDelivery(database.dataSource, { webhook });
    expect(await attempt(id)).toEqual({ nextInMs: undefined });
    expect(await rowOf(id)).toMatchObject({ status: 'failed', attempts: 1, responseStatus: 410, response: 'go away' });
    expect(await webhookOf(webhook)).toMatchObject({ status: 'disabled', disabledReason: /410/ });
    expect(await rowOf(next)).toMatchObject({ status: 'failed', attempts: 0, error: 'the webhook is disabled' });
    expect(await attempt(next)).toEqual({});
    // Of an event that was being written meanwhile.
    const late = await addDelivery(database.dataSource, { webhook });
    expect(await attempt(late)).toEqual({ nextInMs: undefined });
    expect(await rowOf(late)).toMatchObject({ status: 'failed', error: 'the webhook is disabled' });
    expect(receiver.requests).toHaveLength(1);
  });

  it.each([
    [200, { status: 'delivered', responseStatus: 200, error: null }],
    [500, { status: 'failed', responseStatus: null, error: 'the webhook is disabled' }],
  ])('whose webhook is disabled while the receiver answers %i is as that leaves it', async (status, left) => {
    const receiver = await listen((_, response) => {
      void disable().then(() => response.writeHead(status).end());
    });
    const { id, webhook } = await pendingTo(receiver.url);
    const disable = () =>
      database.dataSource.transaction(async (manager) => {
        await manager.update(Webhook, { id: webhook }, { status: 'disabled', disabledReason: 'by hand' });
        await failPendingDeliveries(manager, webhook);
      });
    await attempt(id);
    expect(await rowOf(id)).toMatchObject({ ...left, nextAttemptAt: null });
    expect(await attempt(id)).toEqual({});
  });

  it('is begun by its workflow or replaced by a replay, whichever comes first', async () => {
    const under: (Date | null)[] = [];
    const receiver = await listen((_, response) => {
      void rowOf(begun).then(({ nextAttemptAt }) => {
        under.push(nextAttemptAt);
        response.end();
      });
    });
    const due = { nextAttemptAt: new Date() };
    const { id: begun, webhook } = await pendingTo(receiver.url, due);
    await attempt(begun);
    expect([under, (await rowOf(begun)).status]).toEqual([[null], 'delivered']);

    const replayed = await addDelivery(database.dataSource, { webhook, ...due });
    const runner = database.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.update(WebhookDelivery, { id: replayed }, { replays: 1, nextAttemptAt: null });
    const attempting = attempt(replayed);
    await untilSomebodyWaits(database.dataSource);
    await runner.commitTransaction();
    await runner.release();
    expect(await attempting).toEqual({});
    expect(await rowOf(replayed)).toMatchObject({ status: 'pending', replays: 1, attempts: 0 });
    expect(receiver.requests).toHaveLength(1);
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect (%i), wherever it leads', async (status) => {
    const hidden = await answering(200);
    for (const location of ['http://169.254.169.254/latest/meta-data/', hidden.url]) {
      const receiver = await answering(status, { location });
      const { id } = await pendingTo(receiver.url);
      await attempt(id);
      const error = `the receiver answered with status ${status}: redirects are not followed, register the address that it leads to`;
      expect(await rowOf(id)).toMatchObject({ status: 'pending', responseStatus: status, error });
    }
    expect(hidden.requests).toEqual([]);
  });

  it('goes to no address that is not permitted, whatever the name says, and fails at once (I10)', async () => {
    const receiver = await answering(200);
    const hidden = await listen((_, response) => response.end('hidden'), '127.0.0.1', receiver.port);
    const hosts = ['127.0.0.1', '0x7f.1', '[::1]', '169.254.169.254', 'inside.test', 'metadata.test', 'hidden.test'];
    for (const host of [...hosts, 'both.test']) {
      const { id } = await pendingTo(`http://${host}:${receiver.port}/`);
      expect(await attempt(id)).toEqual({ nextInMs: undefined });
      const row = await rowOf(id);
      expect([host, row.status, row.attempts, row.responseStatus]).toEqual([host, 'failed', 1, null]);
      expect(row.error).toMatch(/^\S+ is not a public address; the operator's file says .* \(webhooks\.addresses\)$/);
      for (const address of NAMES[host] ?? []) expect(row.error).not.toContain(address);
    }
    expect([receiver.requests, hidden.requests]).toEqual([[], []]);
    const { id } = await pendingTo(`http://receiver.test:${receiver.port}/`);
    await attempt(id);
    expect(await rowOf(id)).toMatchObject({ status: 'delivered' });
  });

  it('waits for a receiver that is not there, has no name, or whose certificate is not valid', async () => {
    const receiver = await answering(200);
    const { port } = receiver;
    for (const [url, error] of [
      ['http://nowhere.test/', /^the receiver cannot be reached: getaddrinfo ENOTFOUND nowhere\.test$/],
      [`https://receiver.test:${port}/`, /^the receiver cannot be reached: .*(wrong version|packet length|SSL)/i],
      [`http://${PERMITTED}:1/`, /^the receiver cannot be reached: connect ECONNREFUSED/],
    ] as const) {
      const { id } = await pendingTo(url);
      expect((await attempt(id)).nextInMs).toBeGreaterThanOrEqual(5_000);
      expect(await rowOf(id)).toMatchObject({ status: 'pending', responseStatus: null, response: null });
      expect((await rowOf(id)).error).toMatch(error);
    }
  });

  it('is given up when the receiver takes too long, before its answer or within it', async () => {
    const impatient = createWebhookActivities(database.dataSource, { addresses: [`${PERMITTED}/32`], timeoutMs: 300 });
    const silent = await listen(() => undefined);
    const { id } = await pendingTo(silent.url);
    await attempt(id, impatient);
    expect(await rowOf(id)).toMatchObject({ status: 'pending', error: 'the receiver did not answer within 0.3 s' });
    // Its status is there: a body that never ends changes nothing.
    const dripping = await listen((_, response) => response.writeHead(200).write('tak'));
    const { id: taken } = await pendingTo(dripping.url);
    await attempt(taken, impatient);
    expect(await rowOf(taken)).toMatchObject({ status: 'delivered', response: 'tak' });
  });

  it('reads no more of an answer than it keeps, and keeps it harmless', async () => {
    let written = 0;
    const endless = await listen((_, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'a');
      const more = () => {
        while (!response.destroyed && written < 10 * 1024 * 1024 && response.write(chunk)) written += chunk.length;
      };
      response.writeHead(500).on('drain', more);
      more();
    });
    const { id } = await pendingTo(endless.url);
    await attempt(id);
    expect(await rowOf(id)).toMatchObject({ status: 'pending', response: 'a'.repeat(500) });
    expect(written).toBeLessThan(10 * 1024 * 1024);
    const binary = await listen((_, response) => response.end(Buffer.from([0, 0xff, 0xfe, 0x41])));
    const { id: other } = await pendingTo(binary.url);
    await attempt(other);
    expect(await rowOf(other)).toMatchObject({ status: 'delivered', response: '\ufffd\ufffd\ufffdA' });
  });

  it('keeps nothing of the secret, whatever the receiver says (I6)', async () => {
    let said = '';
    const echoing = await listen((_, response) => response.writeHead(400).end(said));
    const { id, secret } = await pendingTo(echoing.url);
    const key = secret.slice('whsec_'.length);
    said = `bad signature: ${secret}, ${key}, {"secret": "${secret}"}, postgres://me:hunter2@db`;
    await attempt(id);
    const kept = JSON.stringify(await rowOf(id));
    expect(kept).toContain('bad signature: ');
    for (const part of [secret, key, 'hunter2']) expect(kept).not.toContain(part);
  });

  it('is not attempted before its time, after its end, after its deletion, or by the workflow before a replay', async () => {
    const receiver = await answering(200);
    const { id, webhook } = await pendingTo(receiver.url, { nextAttemptAt: new Date(Date.now() + HOUR) });
    const { nextInMs } = await attempt(id);
    expect(nextInMs).toBeGreaterThan(HOUR - MINUTE);
    expect(nextInMs).toBeLessThanOrEqual(HOUR);
    await deliveries().update({ id }, { nextAttemptAt: null, replays: 1 });
    expect(await attempt(id)).toEqual({});
    await deliveries().update({ id }, { status: 'failed' });
    expect(await attempt(id, activities, 1)).toEqual({});
    await deliveries().delete({ id });
    expect(await attempt(id, activities, 1)).toEqual({});
    const orphan = await addDelivery(database.dataSource, { webhook });
    await database.dataSource.getRepository(Webhook).delete({ id: webhook });
    expect(await attempt(orphan)).toEqual({});
    expect(receiver.requests).toEqual([]);
  });

  it('waits for its turn if its webhook has many under way, which is no attempt and holds up no other webhook', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((go) => (release = go));
    const slow = await listen((_, response) => void released.then(() => response.end()));
    const { id: first, webhook } = await pendingTo(slow.url);
    const others = await Promise.all(Array.from({ length: 15 }, () => addDelivery(database.dataSource, { webhook })));
    const sending = [first, ...others].map((id) => attempt(id));
    while (slow.requests.length < 16) await new Promise((go) => setTimeout(go, 10));
    const last = await addDelivery(database.dataSource, { webhook });
    await expect(attempt(last)).rejects.toMatchObject({ type: 'ServiceUnavailable', nonRetryable: false });
    expect(await rowOf(last)).toMatchObject({ status: 'pending', attempts: 0 });
    const elsewhere = await pendingTo((await answering(200)).url);
    await attempt(elsewhere.id);
    expect(await rowOf(elsewhere.id)).toMatchObject({ status: 'delivered' });
    release();
    await Promise.all(sending);
    await attempt(last);
    expect(await rowOf(last)).toMatchObject({ status: 'delivered', attempts: 1 });
  });

  it('that was taken is written when the database is there again, and not sent twice', async () => {
    const breakable = await BreakableDatabase.open(database.url);
    const holding = createWebhookActivities(breakable.dataSource, { addresses: [`${PERMITTED}/32`] });
    const receiver = await listen((_, response) => void breakable.break().then(() => response.end()));
    const { id } = await pendingTo(receiver.url);
    const attempting = attempt(id, holding);
    while (receiver.requests.length === 0) await new Promise((go) => setTimeout(go, 10));
    await new Promise((go) => setTimeout(go, 300));
    expect(await rowOf(id)).toMatchObject({ status: 'pending' });
    await breakable.mend();
    await attempting;
    expect(await rowOf(id)).toMatchObject({ status: 'delivered', attempts: 1 });
    expect(receiver.requests).toHaveLength(1);
    await breakable.close();
  });
});
