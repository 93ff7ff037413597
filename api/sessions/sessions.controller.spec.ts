import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { createApiKey } from '../../infra/database/api-keys.js';
import { ApiKey, Session } from '../../infra/database/entities/index.js';
import { TestApi } from '../testing/test-api.js';

const PATH = '/v1/training_runs';
const FLOW = { question: 'What is 7 times 8?' };

describe('a browser that signs in', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  const cookieOf = ({ headers }: request.Response): string => headers['set-cookie'][0].split(';')[0];
  const signIn = async (key = api.key): Promise<string> =>
    cookieOf(await api.request('post', '/session', key).expect(201));
  const read = (cookie: string) => request(api.url).get(PATH).set('Cookie', cookie);
  const write = (cookie: string) => request(api.url).post('/v1/agent_flows').set('Cookie', cookie).send(FLOW);

  it('gets a cookie that no script reads and no page of another site sends, and is who its key is', async () => {
    const answer = await api.request('post', '/session').expect(201);
    expect(answer.headers['set-cookie'][0]).toMatch(
      /^agentflow_session=af-session-\S{43}; Max-Age=2592000; Path=\/; Expires=.*; HttpOnly; SameSite=Strict$/,
    );
    expect(answer.body).toEqual({
      project: 'default',
      key: { id: expect.stringMatching(/^key-/), name: 'local', scopes: ['read', 'submit', 'admin'] },
    });
    expect((await request(api.url).get('/session').set('Cookie', cookieOf(answer)).expect(200)).body).toEqual(
      answer.body,
    );
    await read(cookieOf(answer)).expect(200);
  });

  it('stores no token', async () => {
    const cookie = await signIn();
    const rows = JSON.stringify(await api.database.dataSource.getRepository(Session).find());
    expect(rows).not.toContain(cookie.split('=')[1]);
  });

  it('needs a key, or a link; a cookie, a wrong key and a used link open nothing', async () => {
    await request(api.url).post('/session').expect(401);
    await api.request('post', '/session', 'af-wrong').expect(401);
    const { body } = await api.request('post', '/v1/sign_in_links').expect(201);
    const link = (body.path as string).replace('/sign-in#', '');
    // It is a key for nothing else, and is not used up by trying.
    await api.request('get', PATH, link).expect(401);
    await api.request('post', '/v1/agent_flows', link).expect(401);
    await read(cookieOf(await api.request('post', '/session', link).expect(201))).expect(200);
    await api.request('post', '/session', link).expect(401);
  });

  it('opens one session with a link, however many redeem it at once', async () => {
    const { body } = await api.request('post', '/v1/sign_in_links').expect(201);
    const link = (body.path as string).replace('/sign-in#', '');
    const answers = await Promise.all(Array.from({ length: 8 }, () => api.request('post', '/session', link)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(401)]);
  });

  it('is signed out by itself, by time and with its key', async () => {
    const out = await signIn();
    await request(api.url).delete('/session').set('Cookie', out).set('Sec-Fetch-Site', 'same-origin').expect(204);
    await read(out).expect(401);
    const late = await signIn();
    await api.database.dataSource
      .getRepository(Session)
      .update({ kind: 'session' }, { expiresAt: new Date(Date.now() - 1) });
    await read(late).expect(401);
    const key = await createApiKey(api.database.dataSource, 'default', { name: 'goes' });
    const revoked = await signIn(key);
    await api.database.dataSource.getRepository(ApiKey).update({ name: 'goes' }, { revokedAt: new Date() });
    expect((await read(revoked).expect(401)).body.error.code).toBe('api_key_revoked');
  });

  it('may do what its key may, and no more', async () => {
    const cookie = await signIn(await createApiKey(api.database.dataSource, 'default', { scopes: ['read'] }));
    await read(cookie).expect(200);
    expect((await write(cookie).set('Sec-Fetch-Site', 'same-origin').expect(403)).body.error.code).toBe(
      'insufficient_scope',
    );
    const theirs = await signIn(await createApiKey(api.database.dataSource, 'theirs'));
    expect((await read(theirs).expect(200)).body.data).toEqual([]);
  });

  it('writes from the pages of the API alone: a page of another port has the same cookie', async () => {
    const cookie = await signIn();
    const own = `http://${new URL(api.url).host}`;
    await write(cookie).set('Sec-Fetch-Site', 'same-origin').set('Origin', own).expect(201);
    await write(cookie).set('Origin', own).expect(201);
    for (const headers of [
      {},
      { 'Sec-Fetch-Site': 'none' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site', Origin: own },
      { Origin: 'http://127.0.0.1:1' },
      { Origin: 'null' },
    ]) {
      expect((await write(cookie).set(headers).expect(403)).body.error.code).toBe('foreign_page');
    }
    await read(cookie).set('Sec-Fetch-Site', 'none').expect(200);
    await read(cookie).set('Sec-Fetch-Site', 'same-site').expect(403);
  });

  it('is nobody if it sends something that is no session, and a key outdoes the cookie', async () => {
    for (const cookie of [
      'agentflow_session=',
      'agentflow_session=af-session-x',
      `agentflow_session=${api.key}`,
      'other=1',
      '=;;%',
    ]) {
      await read(cookie).expect(401);
    }
    await api
      .request('get', PATH, 'af-wrong')
      .set('Cookie', await signIn())
      .expect(401);
  });
});
