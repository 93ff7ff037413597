import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { ApiKey } from '../../infra/database/entities/index.js';
import { createApiKey, hashApiKey } from '../../infra/database/api-keys.js';
import { TestApi } from '../testing/test-api.js';

describe('who may talk to the API', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  it('needs a key for everything but /health and the pages of the dashboard, which hold no data', async () => {
    await request(api.url).get('/health').expect(200);
    const paths = [
      '/index.html',
      '/docs',
      '/docs-json',
      '/docs/swagger-ui-init.js',
      '/v1/training_runs',
      '/v1/rollouts',
      '/healthy',
    ];
    for (const path of paths) {
      const response = await request(api.url).get(path).expect(401);
      expect(response.body).toMatchObject({ error: { type: 'authentication_error', code: 'invalid_api_key' } });
    }
    await request(api.url).post('/v1/training_runs').send({}).expect(401);
  });

  it('refuses unknown, malformed and revoked keys', async () => {
    const revoked = await createApiKey(api.database.dataSource, 'default');
    await api.database.dataSource
      .getRepository(ApiKey)
      .update({ sha256: hashApiKey(revoked) }, { revokedAt: new Date() });
    for (const [key, code] of [
      ['af-wrong', 'invalid_api_key'],
      ['a b', 'invalid_api_key'],
      [`${revoked}a`, 'invalid_api_key'],
      [revoked, 'api_key_revoked'],
    ]) {
      const { body } = await api.request('get', '/v1/training_runs', key).expect(401);
      expect(body).toMatchObject({ error: { type: 'authentication_error', code } });
    }
    await request(api.url).get('/v1/training_runs').set('Authorization', api.key).expect(401);
    await api.request('get', '/v1/training_runs').expect(200);
  });

  it('takes the key as a Basic password for the documentation only', async () => {
    const challenged = await request(api.url).get('/docs').expect(401);
    expect(challenged.headers['www-authenticate']).toContain('Basic');
    await request(api.url).get('/docs').auth('', api.key).expect(200);
    await request(api.url).get('/docs/swagger-ui-init.js').auth('', api.key).expect(200);
    await request(api.url).get('/v1/training_runs').auth('', api.key).expect(401);
  });

  it('answers to its own host names only', async () => {
    const { port } = new URL(api.url);
    expect(await statusForHost(api, `localhost:${port}`)).toBe(200);
    expect(await statusForHost(api, 'localhost')).toBe(200);
    for (const host of ['evil.test', `evil.test:${port}`, '127.0.0.1.evil.test']) {
      expect(await statusForHost(api, host)).toBe(421);
    }
  });

  it('sends no CORS headers and hides what it is made of', async () => {
    const response = await api.request('get', '/v1/training_runs').set('Origin', api.url).expect(200);
    expect(response.headers).not.toHaveProperty('access-control-allow-origin');
    expect(response.headers).not.toHaveProperty('x-powered-by');
    expect(response.headers['x-content-type-options']).toBe('nosniff');
  });

  it.each(['https://evil.test', 'null', 'http://127.0.0.1:1', 'https://127.0.0.1'])(
    'is not for a page of %s, whatever key it has',
    async (origin) => {
      for (const path of ['/health', '/v1/training_runs']) {
        const { body } = await api.request('get', path).set('Origin', origin).expect(403);
        expect(body).toMatchObject({ error: { code: 'foreign_page', param: 'Origin' } });
      }
    },
  );

  it.each([
    ['two Host headers', 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nhOsT: evil.test', 'several_hosts'],
    ['the same one twice', 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1', 'several_hosts'],
    ['an address in the place of a path', 'GET http://evil.test/health HTTP/1.1\r\nHost: 127.0.0.1', 'no_path'],
    ['its own address', 'GET http://127.0.0.1/health HTTP/1.1\r\nHost: 127.0.0.1', 'no_path'],
  ])('refuses %s', async (_, head, code) => {
    const { port } = new URL(api.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.end(`${head}\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain(`"${code}"`);
  });

  it('gives errors of unknown routes in the same shape', async () => {
    const response = await api.request('get', '/v2/nothing').expect(404);
    expect(response.body).toMatchObject({ error: { type: 'not_found_error', code: 'not_found', param: null } });
  });
});

/** supertest sets the Host header itself; node:http leaves it to us. */
function statusForHost(api: TestApi, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const url = new URL('/health', api.url);
    httpRequest(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}
