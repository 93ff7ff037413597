import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { LoggerService } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { TestApi } from '../testing/test-api.js';

const MADE = /^req-[0-9a-f]{16}$/;

describe('request ids', () => {
  let api: TestApi;
  const errors: string[] = [];

  beforeAll(async () => {
    api = await TestApi.start();
    const logger: LoggerService = { log: () => {}, warn: () => {}, error: (line: string) => errors.push(line) };
    api.app.useLogger(logger);
  });
  afterAll(async () => api.stop());

  it.each([
    ['success', '/health', 200],
    ['refusal', '/v1/training_runs', 401],
  ])('are echoed on a %s', async (_, path, status) => {
    const given = await request(api.url).get(path).set('X-Request-Id', 'trace:4/bf+9=.a_b-c').expect(status);
    expect(given.headers['x-request-id']).toBe('trace:4/bf+9=.a_b-c');
    const made = await request(api.url).get(path).expect(status);
    expect(made.headers['x-request-id']).toMatch(MADE);
  });

  it.each(['', 'a b', 'a"b', 'a\tb', 'é', 'a'.repeat(129)])('are made anew in the place of %j', async (id) => {
    const answer = await api.request('get', '/v1/training_runs').set('X-Request-Id', id).expect(200);
    expect(answer.headers['x-request-id']).toMatch(MADE);
  });

  it('are on answers to what is no HTTP', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.end('no HTTP\r\n\r\n');
    expect(await text(socket)).toMatch(/\r\nX-Request-Id: req-[0-9a-f]{16}\r\n/);
  });

  it('are in the log of an error, with what was asked', async () => {
    api.workflows.failure = new Error('a defect');
    const run = await api.request('post', '/v1/training_runs').send({ model: 'tiny-random', steps: 2 }).expect(201);
    const path = `/v1/training_runs/${(run.body as { id: string }).id}/pause`;
    await api.request('post', path).set('X-Request-Id', 'failing').expect(500);
    expect(errors.some((line) => line.startsWith(`failing POST ${path}: Error: a defect`))).toBe(true);
  });
});
