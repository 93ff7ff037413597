import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import type { ApiError } from '../common/api-error.js';
import { TestApi } from '../testing/test-api.js';
import { dashboardRouter } from './serve-dashboard.js';

describe('the dashboard as files', () => {
  let directory: string;
  const app = express();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'agentflow-dashboard-'));
    await mkdir(join(directory, 'assets'));
    await writeFile(join(directory, 'index.html'), '<title>it</title>');
    await writeFile(join(directory, 'assets/main-1a2b.js'), 'export {};');
    await writeFile(join(directory, 'secret.txt'), 'secret');
    app.use(dashboardRouter(directory));
  });
  afterAll(async () => rm(directory, { recursive: true }));

  it('is one page under every path that its own router knows, read anew each time', async () => {
    for (const path of [
      '/',
      '/sign-in',
      '/runs',
      '/runs/run-1',
      '/runs/run-1/steps/2',
      '/rollouts/run-1%2F1%2F0%2F1',
    ]) {
      const { text, headers } = await request(app).get(path).expect(200);
      expect(text).toBe('<title>it</title>');
      expect(headers['cache-control']).toBe('no-cache');
    }
  });

  it('has assets that are kept, and nothing beside them', async () => {
    const { headers } = await request(app).get('/assets/main-1a2b.js').expect(200);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    for (const path of [
      '/assets/',
      '/assets/none.js',
      '/assets/..%2Fsecret.txt',
      '/secret.txt',
      '/index.html',
      '/run',
    ]) {
      await request(app).get(path).expect(404);
    }
    await request(app).post('/assets/main-1a2b.js').expect(404);
    await request(app).post('/').expect(404);
  });

  it('opens nothing else of the API, and no page may be framed or load what is not ours', async () => {
    const api = await TestApi.start();
    try {
      for (const path of [
        '/v1/training_runs',
        '/session',
        '/openai/v1/models',
        '/docs',
        '/index.html',
        '/anything',
        '/run',
      ]) {
        await request(api.url).get(path).set('Accept', 'text/html').expect(401);
      }
      const { headers } = await request(api.url).get('/runs');
      const policy = headers['content-security-policy'];
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/https:|script-src[^;]*unsafe/);
      await request(api.url).get('/runs').set('Host', 'evil.example').expect(421);
    } finally {
      await api.stop();
    }
  });

  it('says how to build it if it is not there', async () => {
    const empty = express();
    empty.use(dashboardRouter(join(directory, 'none')));
    empty.use(((error, _request, response, _next) =>
      response.status((error as ApiError).status).send((error as ApiError).message)) as express.ErrorRequestHandler);
    expect((await request(empty).get('/').expect(503)).text).toContain('npm run setup');
  });
});
