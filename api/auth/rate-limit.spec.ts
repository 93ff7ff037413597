import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { loadOperatorFile, type OperatorFile } from '../../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { apiSection } from '../../infra/config/operator/api.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { AuditEntry } from '../../infra/database/entities/index.js';
import { TestApi } from '../testing/test-api.js';

const PAGE = 'https://app.example';
const LIMIT = 5;

function operatorWith(api: OperatorFile['api']): OperatorFile {
  return { ...loadOperatorFile(join(PROJECT_ROOT, 'infra/local/operator.yaml')), api };
}

describe('an API with limits and pages of its own list', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start({
      operator: operatorWith(apiSection.parse({ allowed_origins: [PAGE], requests_per_minute: LIMIT })),
    });
  });
  afterAll(async () => api.stop());

  const newKey = () => createApiKey(api.database.dataSource, 'default');

  describe('requests in a minute', () => {
    it('are counted by key, told, and refused in the one shape with the time to wait', async () => {
      const key = await newKey();
      for (let left = LIMIT - 1; left >= 0; left--) {
        const { headers } = await api.request('get', '/v1/training_runs', key).expect(200);
        expect(headers['ratelimit']).toMatch(new RegExp(`^"requests-per-minute"; r=${left}; t=\\d+`));
        expect(headers['ratelimit-policy']).toMatch(/^"requests-per-minute"; q=5; w=60/);
        expect(Object.keys(headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
      }
      const { body, headers } = await api.request('get', '/v1/training_runs', key).expect(429);
      const message = expect.stringMatching(/^This key has sent the 5 requests .* Ask again in \d+ s\.$/);
      expect(body).toEqual({ error: { type: 'rate_limit_error', code: 'rate_limited', message, param: null } });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
      await api.request('get', '/v1/training_runs', await newKey()).expect(200);
      await request(api.url).get('/health').expect(200);
    });

    it('do nothing and are in the audit log if they are too many', async () => {
      const key = await newKey();
      const sent = { model: 'tiny-random', steps: 1 };
      for (let i = 0; i < LIMIT; i++) await api.request('get', '/v1/training_runs', key).expect(200);
      const calls = api.workflows.calls.length;
      await api.request('post', '/v1/training_runs', key).set('X-Request-Id', 'many').send(sent).expect(429);
      expect(api.workflows.calls).toHaveLength(calls);
      const entries = api.database.dataSource.getRepository(AuditEntry);
      while ((await entries.countBy({ requestId: 'many', status: 429 })) === 0);
    });

    it('without a valid key are refused as floods, which keeps nobody with a key out', async () => {
      const post = () => request(api.url).post('/v1/keys').set('X-Request-Id', 'flood');
      let last = await post();
      expect(last.status).toBe(401);
      while (last.status === 401) last = await post();
      expect(last.status).toBe(429);
      expect(last.body).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limited' } });
      await api.request('get', '/v1/training_runs', await newKey()).expect(200);
      const entries = api.database.dataSource.getRepository(AuditEntry);
      expect(await entries.countBy({ requestId: 'flood', status: 429 })).toBe(0);
    });
  });

  describe('a page of the list', () => {
    it('may ask without a key whether it may ask, and reads answers and refusals', async () => {
      const asked = await request(api.url)
        .options('/v1/training_runs')
        .set({ Origin: PAGE, 'Access-Control-Request-Method': 'POST' })
        .set('Access-Control-Request-Headers', 'authorization,content-type,idempotency-key')
        .expect(204);
      expect(asked.headers).toMatchObject({
        'access-control-allow-origin': PAGE,
        'access-control-allow-methods': expect.stringContaining('POST'),
        'access-control-allow-headers': expect.stringContaining('Idempotency-Key'),
      });
      expect(asked.headers).not.toHaveProperty('access-control-allow-credentials');
      const read = await api
        .request('get', '/v1/training_runs', await newKey())
        .set('Origin', PAGE)
        .expect(200);
      expect(read.headers).toMatchObject({
        'access-control-allow-origin': PAGE,
        'access-control-expose-headers': expect.stringContaining('Retry-After'),
        vary: expect.stringContaining('Origin'),
      });
      const refused = await api.request('get', '/v1/training_runs', 'none').set('Origin', PAGE);
      expect(refused.headers['access-control-allow-origin']).toBe(PAGE);
    });

    it.each([`${PAGE}.evil.test`, `${PAGE}:8443`, 'http://app.example', 'https://evil.test', 'null'])(
      'is not %s',
      async (origin) => {
        for (const method of ['options', 'get'] as const) {
          const { headers, body } = await request(api.url)
            [method]('/v1/training_runs')
            .set({ Origin: origin, 'Access-Control-Request-Method': 'GET' })
            .expect(403);
          expect(body).toMatchObject({ error: { code: 'foreign_page' } });
          expect(headers).not.toHaveProperty('access-control-allow-origin');
        }
      },
    );
  });
});
