import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { TestApi } from '../testing/test-api.js';
import { HealthController } from './health.controller.js';

describe(HealthController, () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  it('says what is up and what is down', async () => {
    const up = await request(api.url).get('/health').expect(200);
    expect(up.body).toMatchObject({ status: 'ok', info: { database: { status: 'up' }, temporal: { status: 'up' } } });
    api.workflows.failure = new Error('connection refused');
    const down = await request(api.url).get('/health').expect(503);
    expect(down.body).toMatchObject({ status: 'error', error: { temporal: { status: 'down' } } });
    expect(JSON.stringify(down.body)).not.toContain('refused');
  });
});
