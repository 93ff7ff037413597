import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import request from 'supertest';
import { createApiKey, hashApiKey } from '../../infra/database/api-keys.js';
import { ApiKey, AuditEntry, TrainingRun } from '../../infra/database/entities/index.js';
import { TestApi } from '../testing/test-api.js';
import { AuditLogService } from './audit-log.service.js';
import type { AuditEntryDto } from './audit-entry.dto.js';

const RUN = { model: 'tiny-random', steps: 2 };

describe('the audit log', () => {
  let api: TestApi;
  let theirs: string;

  beforeAll(async () => {
    api = await TestApi.start();
    theirs = await createApiKey(api.database.dataSource, 'theirs');
  });
  afterAll(async () => api.stop());
  afterEach(() => {
    jest.restoreAllMocks();
  });

  const entries = () => api.database.dataSource.getRepository(AuditEntry);
  const read = async (query: object = {}, key?: string): Promise<AuditEntryDto[]> => {
    const { body } = await api
      .request('get', '/v1/audit_log', key)
      .query({ limit: 100, ...query })
      .expect(200);
    return (body as { data: AuditEntryDto[] }).data;
  };
  /** The entry of a request, once it says how the request ended. */
  const entryOf = async (id: string): Promise<AuditEntryDto> => {
    for (;;) {
      const found = (await read()).find(({ request_id, finished_at }) => request_id === id && finished_at !== null);
      if (found) return found;
      await sleep(10);
    }
  };

  it('says who asked for what, from where, and how it ended', async () => {
    const sent = { 'X-Request-Id': 'create', 'User-Agent': 'spec/1', 'X-Forwarded-For': '203.0.113.7' };
    const created = await api.request('post', '/v1/training_runs?secret=hunter2').set(sent).send(RUN).expect(201);
    const row = await api.database.dataSource.getRepository(ApiKey).findOneByOrFail({ sha256: hashApiKey(api.key) });
    const entry = await entryOf('create');
    expect(entry).toMatchObject({
      object: 'audit_entry',
      project: 'default',
      key: row.id,
      key_name: row.name,
      method: 'POST',
      path: '/v1/training_runs',
      route: '/v1/training_runs',
      target: (created.body as { id: string }).id,
      status: 201,
      user_agent: 'spec/1',
    });
    expect(entry.address).toMatch(/127\.0\.0\.1$/);
    expect(Date.parse(entry.finished_at!)).toBeGreaterThanOrEqual(Date.parse(entry.created_at));
    await api.request('post', '/v1/training_runs/run-none/cancel').set('X-Request-Id', 'cancel').expect(404);
    const cancelled = { route: '/v1/training_runs/:id/cancel', target: 'run-none', status: 404 };
    expect(await entryOf('cancel')).toMatchObject(cancelled);
  });

  it('has what was refused, whatever refused it, and nothing that only reads', async () => {
    const post = (path: string, id: string) => request(api.url).post(path).set('X-Request-Id', id);
    await post('/v1/keys', 'no-key').send({}).expect(401);
    expect(await entryOf('no-key')).toMatchObject({
      project: null,
      key: null,
      key_name: null,
      status: 401,
      route: null,
    });
    await post('/v1/keys', 'page').set('Origin', 'https://evil.test').expect(403);
    expect(await entryOf('page')).toMatchObject({ key: null, status: 403 });
    const reader = await createApiKey(api.database.dataSource, 'default', { name: 'reader', scopes: ['read'] });
    await api.request('delete', '/v1/keys/key-a', reader).set('X-Request-Id', 'scope').expect(403);
    expect(await entryOf('scope')).toMatchObject({ key_name: 'reader', status: 403 });
    await post('/v1/keys', 'type').auth(api.key, { type: 'bearer' }).type('text/plain').send('a').expect(415);
    expect(await entryOf('type')).toMatchObject({ key_name: 'local', status: 415, path: '/v1/keys' });
    await api.request('post', '/v1/nothing').set('X-Request-Id', 'nowhere').expect(404);
    expect(await entryOf('nowhere')).toMatchObject({ route: null, target: null, status: 404 });
    await api.request('get', '/v1/training_runs').set('X-Request-Id', 'reads').expect(200);
    expect(await entries().countBy({ requestId: 'reads' })).toBe(0);
  });

  it('has one clock: no request ends before it came, also one that is written down after its answer', async () => {
    const before = Date.now();
    await request(api.url).post('/v1/keys').set('X-Request-Id', 'refused').expect(401);
    await api.request('post', '/v1/nothing').set('X-Request-Id', 'carried-out').expect(404);
    for (const id of ['refused', 'carried-out']) {
      const { created_at, finished_at } = await entryOf(id);
      expect(Date.parse(created_at)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(finished_at!)).toBeGreaterThanOrEqual(Date.parse(created_at));
    }
  });

  it('holds no body, no key that was made, and no key in the place of an id', async () => {
    const name = 'a name in a body';
    const created = await api
      .request('post', '/v1/keys')
      .send({ name, scopes: ['read'] })
      .expect(201);
    const { key } = created.body as { key: string };
    await api.request('delete', `/v1/keys/${key}`).set({ 'X-Request-Id': 'mistaken', 'User-Agent': key }).expect(404);
    expect(await entryOf('mistaken')).toMatchObject({ path: '/v1/keys/***', target: '***', user_agent: '***' });
    const all = JSON.stringify(await entries().find());
    for (const secret of [key, api.key, name]) expect(all).not.toContain(secret);
  });

  it('has the entry before the act: an API that dies in the middle leaves it without an end', async () => {
    jest.spyOn(api.app.get(AuditLogService), 'end').mockReturnValue(undefined);
    await api.request('post', '/v1/training_runs').set('X-Request-Id', 'dies').send(RUN).expect(201);
    expect((await read()).filter(({ request_id }) => request_id === 'dies')).toMatchObject([
      { path: '/v1/training_runs', key_name: 'local', status: null, finished_at: null },
    ]);
  });

  it('lets nothing be done that it cannot note', async () => {
    const runs = api.database.dataSource.getRepository(TrainingRun);
    const before = await runs.count();
    const lock = api.database.dataSource.createQueryRunner();
    await lock.startTransaction();
    await lock.query('LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE');
    await api.request('post', '/v1/training_runs').send(RUN).expect(503);
    await lock.rollbackTransaction();
    await lock.release();
    expect(await runs.count()).toBe(before);
  });

  it.each([
    ['a change', "UPDATE audit_log SET status = 200, path = '/'"],
    ['a second end', 'UPDATE audit_log SET finished_at = now() WHERE finished_at IS NOT NULL'],
    ['another key in the place of an open one', "UPDATE audit_log SET key_id = 'a', finished_at = now()"],
    ['a deletion', 'DELETE FROM audit_log'],
    ['an emptied table', 'TRUNCATE audit_log'],
  ])('refuses %s, in the database', async (_, statement) => {
    await api.request('post', '/v1/nothing').set('X-Request-Id', 'kept').expect(404);
    await entryOf('kept');
    await expect(api.database.dataSource.query(statement)).rejects.toThrow('The audit log is only written to');
  });

  it('is for admins: of their own project, and for an operator of all', async () => {
    await api.request('post', '/v1/training_runs', theirs).set('X-Request-Id', 'theirs').send(RUN).expect(201);
    const { id } = await entryOf('theirs');
    expect((await read({}, theirs)).map((entry) => entry.id)).toEqual([id]);
    expect((await read({ project: 'theirs' })).map((entry) => entry.id)).toEqual([id]);
    expect(new Set((await read()).map(({ project }) => project))).toEqual(new Set(['default', 'theirs', null]));
    await api.request('get', '/v1/audit_log', theirs).query({ project: 'default' }).expect(400);
    const [newest] = await read({ project: 'default' });
    await api.request('get', '/v1/audit_log', theirs).query({ after: newest.id }).expect(400);
    const reader = await createApiKey(api.database.dataSource, 'theirs', { scopes: ['read', 'submit'] });
    await api.request('get', '/v1/audit_log', reader).expect(403);
  });

  it.each([
    ['was revoked', 'api_key_revoked', { revokedAt: new Date() }],
    ['has expired', 'api_key_expired', { expiresAt: new Date() }],
  ])('tells who still uses a key that %s, to the admins of its project too', async (_, code, refused) => {
    const keys = api.database.dataSource.getRepository(ApiKey);
    const key = await createApiKey(api.database.dataSource, 'theirs', { name: code });
    const { id } = await keys.findOneByOrFail({ sha256: hashApiKey(key) });
    await keys.update({ id }, refused);
    const sent = { 'X-Request-Id': code, 'User-Agent': 'forgotten/1' };
    const { body } = await api.request('post', '/v1/training_runs', key).set(sent).send(RUN).expect(401);
    expect(body).toMatchObject({ error: { code } });
    const entry = await entryOf(code);
    expect(entry).toMatchObject({ project: 'theirs', key: id, key_name: code, status: 401, user_agent: 'forgotten/1' });
    expect(await read({}, theirs)).toContainEqual(entry);
  });

  it('is listed newest first, in pages', async () => {
    const all = (await read()).map(({ id }) => id);
    const { body } = await api.request('get', '/v1/audit_log').query({ limit: 2, after: all[0] }).expect(200);
    expect(body).toMatchObject({ has_more: true, first_id: all[1], last_id: all[2] });
  });
});
