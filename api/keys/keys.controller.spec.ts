import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { KEY_SCOPES, type KeyScope } from '../../contracts/key-scopes.js';
import { createApiKey, hashApiKey } from '../../infra/database/api-keys.js';
import { ApiKey } from '../../infra/database/entities/index.js';
import type { ApiErrorBody } from '../common/api-error.js';
import { TestApi } from '../testing/test-api.js';
import type { ApiKeyDto, CreatedApiKeyDto } from './api-key.dto.js';

describe('keys', () => {
  let api: TestApi;
  let theirs: string;

  beforeAll(async () => {
    api = await TestApi.start();
    await api.request('post', '/v1/projects').send({ id: 'theirs' }).expect(201);
    theirs = await createApiKey(api.database.dataSource, 'theirs');
  });
  afterAll(async () => api.stop());

  const rows = () => api.database.dataSource.getRepository(ApiKey);
  const idOf = async (key: string): Promise<string> => (await rows().findOneByOrFail({ sha256: hashApiKey(key) })).id;
  const create = async (body: object, by = api.key): Promise<CreatedApiKeyDto> =>
    (await api.request('post', '/v1/keys', by).send(body).expect(201)).body as CreatedApiKeyDto;
  const limited = (...scopes: KeyScope[]) => createApiKey(api.database.dataSource, 'default', { scopes });

  it('are shown once and stored as a digest', async () => {
    const body = { name: 'notebook', scopes: ['read', 'submit'] };
    const answer = await api.request('post', '/v1/keys').send(body).expect(201);
    const { key, ...created } = answer.body as CreatedApiKeyDto;
    expect(answer.headers).toMatchObject({ location: `/v1/keys/${created.id}`, 'cache-control': 'no-store' });
    expect(created).toMatchObject({
      ...body,
      object: 'api_key',
      project: 'default',
      expires_at: null,
      revoked_at: null,
    });
    expect(key?.startsWith(created.prefix!)).toBe(true);
    const shown = await api.request('get', `/v1/keys/${created.id}`).expect(200);
    const listed = await api.request('get', '/v1/keys').expect(200);
    for (const text of [shown.text, listed.text, JSON.stringify(await rows().find())]) expect(text).not.toContain(key);
    await api.request('get', '/v1/training_runs', key!).expect(200);
  });

  it('do what their scopes say and nothing else', async () => {
    const requests = {
      read: ['get', '/v1/training_runs', 200],
      submit: ['post', '/v1/training_runs', 400],
      admin: ['get', '/v1/keys', 200],
    } as const;
    for (const scope of KEY_SCOPES) {
      const key = await limited(scope);
      for (const [needed, [method, path, status]] of Object.entries(requests)) {
        const response = await api.request(method, path, key).expect(needed === scope ? status : 403);
        if (needed === scope) continue;
        expect(response.body).toMatchObject({ error: { type: 'permission_error', code: 'insufficient_scope' } });
        expect((response.body as { error: { message: string } }).error.message).toContain(`the scope "${needed}"`);
        expect(response.headers['www-authenticate']).toBe(`Bearer error="insufficient_scope", scope="${needed}"`);
      }
    }
  });

  it('need admin for keys, projects and the audit log, however the path is written', async () => {
    const key = await limited('read', 'submit');
    for (const path of ['keys', 'projects', 'audit_log', 'Keys', 'KEYS/', 'keys/key-1', 'projects/default']) {
      await api.request('get', `/v1/${path}`, key).expect(403);
      await api.request('post', `/V1/${path}`, key).send({}).expect(403);
      await api.request('delete', `/v1/${path}?after=a`, key).expect(403);
    }
    for (const path of ['//v1/keys', '/v1//keys', '/v1/%6beys', '/v1/./keys']) {
      const { status, text } = await api.request('get', path, key);
      expect([403, 404]).toContain(status);
      expect(text).not.toContain('api_key"');
    }
  });

  it('give no scope that they lack, and none by an empty list', async () => {
    const admin = await limited('admin');
    const { body } = await api.request('post', '/v1/keys', admin).send({ name: 'more', scopes: ['admin', 'submit'] });
    expect(body).toMatchObject({ error: { code: 'insufficient_scope', param: 'scopes' } });
    expect((await create({ name: 'same', scopes: ['admin'] }, admin)).scopes).toEqual(['admin']);
    for (const scopes of [[], ['read', 'read'], ['write'], 'read', undefined]) {
      const response = await api.request('post', '/v1/keys').send({ name: 'none', scopes }).expect(400);
      expect(response.body).toMatchObject({ error: { code: 'invalid_request' } });
    }
  });

  it.each([
    ['no name', { scopes: ['read'] }, '\n- name: is missing'],
    ['an empty name', { name: '', scopes: ['read'] }, '\n- name: is empty'],
    ['a blank name', { name: ' ', scopes: ['read'] }, '\n- name: has a blank at its beginning or end'],
    ['a name of two lines', { name: 'a\nb', scopes: ['read'] }, '\n- name: has the character U+000A, which cannot be'],
    [
      'a name that turns the direction of writing',
      { name: 'a\u202eb', scopes: ['read'] },
      '\n- name: has the character U+202E,',
    ],
    ['a long name', { name: 'a'.repeat(101), scopes: ['read'] }, '\n- name: must have at most 100 characters'],
    ['a number as a name', { name: 7, scopes: ['read'] }, '\n- name: must be a text'],
    ['no scope', { name: 'a', scopes: [] }, '\n- scopes: must have at least 1 item'],
    ['a key of its own choice', { name: 'a', scopes: ['read'], key: 'af-mine' }, '\n- unknown key "key"'],
    ['a time that has passed', { name: 'a', scopes: ['read'], expires_at: '2020-01-01T00:00:00Z' }],
    ['a time without a zone', { name: 'a', scopes: ['read'], expires_at: '2999-01-01T00:00:00' }],
    ['a project that is not there', { name: 'a', scopes: ['read'], project: 'nowhere' }],
  ])('are not created with %s', async (_, body, message = '') => {
    const { error } = (await api.request('post', '/v1/keys').send(body).expect(400)).body as ApiErrorBody;
    expect(error.message).toContain(message);
  });

  it('expire', async () => {
    const soon = new Date(Date.now() + 60_000);
    const { key, id, expires_at } = await create({ name: 'brief', scopes: ['read'], expires_at: soon.toISOString() });
    expect(expires_at).toBe(soon.toISOString());
    await api.request('get', '/v1/training_runs', key!).expect(200);
    await rows().update({ id }, { expiresAt: new Date() });
    const { body } = await api.request('get', '/v1/training_runs', key!).expect(401);
    expect(body).toMatchObject({ error: { type: 'authentication_error', code: 'api_key_expired' } });
  });

  it('that expire make none that outlive them', async () => {
    const until = new Date(Date.now() + 3_600_000);
    const brief = await createApiKey(api.database.dataSource, 'default', { expiresAt: until });
    const later = new Date(until.getTime() + 1).toISOString();
    for (const expires_at of [undefined, null, later, '2999-01-01T00:00:00Z']) {
      const { body } = await api
        .request('post', '/v1/keys', brief)
        .send({ name: 'longer', scopes: ['read'], expires_at })
        .expect(400);
      expect(body).toMatchObject({ error: { code: 'outlives_its_maker', param: 'expires_at' } });
      expect((body as { error: { message: string } }).error.message).toContain(until.toISOString());
    }
    const same = await create({ name: 'as long', scopes: ['read'], expires_at: until.toISOString() }, brief);
    expect(same.expires_at).toBe(until.toISOString());
    const admin = await create({ name: 'a child', scopes: ['admin'], expires_at: until.toISOString() }, brief);
    await api
      .request('post', '/v1/keys', admin.key!)
      .send({ name: 'a grandchild', scopes: ['admin'] })
      .expect(400);
  });

  it('are refused as soon as they are revoked, which may be repeated, and leave the list', async () => {
    const { key, id } = await create({ name: 'gone', scopes: ['read'] });
    await api.request('get', '/v1/training_runs', key!).expect(200);
    const first = (await api.request('delete', `/v1/keys/${id}`).expect(200)).body as ApiKeyDto;
    expect(first.revoked_at).not.toBeNull();
    const refused = (await api.request('get', '/v1/training_runs', key!).expect(401)).body as { error: object };
    expect(refused.error).toMatchObject({
      type: 'authentication_error',
      code: 'api_key_revoked',
      param: 'Authorization',
      message: expect.stringContaining(`${id} was revoked at ${first.revoked_at}`),
    });
    expect((await api.request('delete', `/v1/keys/${id}`).expect(200)).body).toEqual(first);
    const { body } = await api.request('get', '/v1/keys').query({ limit: 100 });
    expect((body as { data: ApiKeyDto[] }).data.map((listed) => listed.id)).not.toContain(id);
    expect((await api.request('get', `/v1/keys/${id}`).expect(200)).body).toEqual(first);
  });

  it('of another project are not there for an admin, and are managed by an operator', async () => {
    const ours = await idOf(api.key);
    for (const method of ['get', 'delete'] as const) {
      const { body } = await api.request(method, `/v1/keys/${ours}`, theirs).expect(404);
      expect(body).toMatchObject({ error: { code: 'key_not_found' } });
    }
    const listed = await api.request('get', '/v1/keys', theirs).expect(200);
    expect((listed.body as { data: ApiKeyDto[] }).data.every(({ project }) => project === 'theirs')).toBe(true);
    for (const project of ['default', 'nowhere']) {
      const refused = await api.request('get', '/v1/keys', theirs).query({ project }).expect(400);
      expect(refused.body).toMatchObject({ error: { code: 'unknown_project' } });
      await api
        .request('post', '/v1/keys', theirs)
        .send({ name: 'a', scopes: ['read'], project })
        .expect(400);
    }
    await api.request('get', '/v1/keys', theirs).query({ after: ours }).expect(400);
    const made = await create({ name: 'by the operator', scopes: ['admin'], project: 'theirs' });
    expect(made.project).toBe('theirs');
    const found = await api.request('get', '/v1/keys').query({ project: 'theirs' }).expect(200);
    expect((found.body as { data: ApiKeyDto[] }).data.map(({ id }) => id)).toContain(made.id);
    await api.request('delete', `/v1/keys/${made.id}`).expect(200);
    await api.request('get', '/v1/keys', made.key!).expect(401);
  });

  it('show nothing the second time with one Idempotency-Key, and refuse another body', async () => {
    const body = { name: 'once', scopes: ['read'] };
    const post = (sent: object) => api.request('post', '/v1/keys').set('Idempotency-Key', 'once').send(sent);
    const first = (await post(body).expect(201)).body as CreatedApiKeyDto;
    expect((await post(body).expect(200)).body).toEqual({ ...first, key: null });
    await post({ ...body, name: 'twice' }).expect(409);
  });

  it('are listed newest first, in pages', async () => {
    const project = 'pages';
    await api.request('post', '/v1/projects').send({ id: project }).expect(201);
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.unshift((await create({ name, scopes: ['read'], project })).id);
    const page = async (query: object) =>
      (await api.request('get', '/v1/keys').query({ project, ...query })).body as unknown;
    expect(await page({ limit: 2 })).toMatchObject({ has_more: true, first_id: ids[0], last_id: ids[1] });
    expect(await page({ limit: 2, after: ids[1] })).toMatchObject({
      has_more: false,
      first_id: ids[2],
      last_id: ids[2],
    });
  });

  it('note their use at most once a minute, and work while that cannot be noted', async () => {
    const { key, id } = await create({ name: 'noted', scopes: ['read'] });
    const used = async () => (await rows().findOneByOrFail({ id })).lastUsedAt;
    expect(await used()).toBeNull();
    const update = jest.spyOn(rows(), 'update');
    await Promise.all(Array.from({ length: 10 }, () => api.request('get', '/v1/training_runs', key!).expect(200)));
    while ((await used()) === null) await sleep(10);
    expect(update).toHaveBeenCalledTimes(1);
    await rows().update({ id }, { lastUsedAt: new Date(0) });
    update.mockClear();
    await api.request('get', '/v1/training_runs', key!).expect(200);
    expect(update).not.toHaveBeenCalled();
    update.mockRestore();

    const another = await create({ name: 'unnoted', scopes: ['read'] });
    const lock = api.database.dataSource.createQueryRunner();
    await lock.startTransaction();
    await lock.query('SELECT 1 FROM api_keys WHERE id = $1 FOR UPDATE', [another.id]);
    await api.request('get', '/v1/training_runs', another.key!).expect(200);
    await lock.rollbackTransaction();
    await lock.release();
  });

  it('remain to the operators: the last key that can make every other cannot be revoked, by two requests neither', async () => {
    const own = await TestApi.start();
    try {
      const mine = await own.database.dataSource.getRepository(ApiKey).findOneByOrFail({ sha256: hashApiKey(own.key) });
      await createApiKey(own.database.dataSource, 'default', { scopes: ['read', 'submit'] });
      await createApiKey(own.database.dataSource, 'default', { scopes: ['admin', 'read'] });
      const brief = await createApiKey(own.database.dataSource, 'default', {
        expiresAt: new Date(Date.now() + 60_000),
      });
      await createApiKey(own.database.dataSource, 'theirs');
      const { body } = await own.request('delete', `/v1/keys/${mine.id}`).expect(409);
      expect(body).toMatchObject({ error: { code: 'last_admin_key', param: 'id' } });
      const other = await own.request('post', '/v1/keys').send({ name: 'other', scopes: KEY_SCOPES }).expect(201);
      const ids = [mine.id, (other.body as ApiKeyDto).id];
      const answers = await Promise.all(ids.map((id) => own.request('delete', `/v1/keys/${id}`, brief)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    } finally {
      await own.stop();
    }
  });

  it('with admin alone are kept like that one in a database that has no other', async () => {
    const own = await TestApi.start();
    try {
      const keys = own.database.dataSource.getRepository(ApiKey);
      const [{ id }] = await keys.find();
      await keys.update({ id }, { scopes: ['admin'] });
      await own.request('delete', `/v1/keys/${id}`).expect(409);
    } finally {
      await own.stop();
    }
  });
});
