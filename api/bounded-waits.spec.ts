import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import type { DataSource } from 'typeorm';
import request from 'supertest';
import { runSettings } from '../infra/config/run-settings.js';
import { loadOperatorFile } from '../infra/config/operator-file.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { createApiKey } from '../infra/database/api-keys.js';
import { createDataSource } from '../infra/database/data-source.js';
import { AgentFlow, IdempotencyKey, RunEvent, TrainingRun } from '../infra/database/entities/index.js';
import { SilentProxy } from '../infra/database/testing/silent-proxy.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import { trainingRunRow } from '../infra/database/testing/training-run-row.js';
import { CONNECTION_BOUNDS } from './common/bounded-http.adapter.js';
import { REQUEST_BOUNDS } from './common/deadline.middleware.js';
import { STREAM_BOUNDS } from './events/sse-writer.js';
import { Workflows } from './temporal/workflows.js';
import { TestApi } from './testing/test-api.js';

const RUN = { model: 'smollm2-135m-instruct', steps: 1 };
const QUESTION = { question: 'What is 347 plus 589?' };

/** The first answer of some, by name. */
const first = <T>(answers: Record<string, Promise<T>>): Promise<[string, T]> =>
  Promise.race(Object.entries(answers).map(async ([name, answer]): Promise<[string, T]> => [name, await answer]));

describe('what the API waits for (I16)', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  describe('with another session in the way', () => {
    let api: TestApi;

    beforeAll(async () => {
      api = await TestApi.start();
    });
    afterAll(async () => api.stop());

    it.each([
      ['/v1/training_runs', RUN],
      ['/v1/agent_flows', QUESTION],
      ['/v1/evaluations', { model: RUN.model, policies: ['base'], benchmarks: [{ name: 'atlas', questions: 1 }] }],
    ])('a POST of %s says that it can be repeated, and has written nothing', async (path, body) => {
      const { dataSource } = api.database;
      const lock = dataSource.createQueryRunner();
      await lock.startTransaction();
      await lock.query('LOCK TABLE training_runs, agent_flows, benchmark_evaluations IN SHARE MODE');
      const post = () => api.request('post', path).set('Idempotency-Key', `locked${path}`).send(body);
      const busy = await post().expect(503);
      expect(busy.body).toMatchObject({ error: { type: 'service_unavailable_error', code: 'database_busy' } });
      expect(Number(busy.headers['retry-after'])).toBeGreaterThan(0);
      await lock.rollbackTransaction();
      await lock.release();
      for (const entity of [TrainingRun, RunEvent, AgentFlow, IdempotencyKey]) {
        expect(await dataSource.getRepository(entity).count()).toBe(0);
      }
      await post().expect(201);
      for (const table of ['run_events', 'training_runs', 'agent_flows', 'benchmark_evaluations', 'idempotency_keys']) {
        await dataSource.query(`DELETE FROM ${table}`);
      }
    });

    it('a list says so where every connection is taken', async () => {
      const { dataSource } = api.database;
      const taken = Array.from({ length: 10 }, () => dataSource.createQueryRunner());
      await Promise.all(taken.map((runner) => runner.connect()));
      const full = await api.request('get', '/v1/training_runs').expect(503);
      expect(full.body).toMatchObject({ error: { code: 'database_unavailable' } });
      await Promise.all(taken.map((runner) => runner.release()));
      await api.request('get', '/v1/training_runs').expect(200);
    });

    it('a request whose work hangs is answered with its deadline, and what it answers later is dropped', async () => {
      const row = trainingRunRow({ status: 'running' });
      await api.database.dataSource.getRepository(TrainingRun).insert(row);
      jest.replaceProperty(REQUEST_BOUNDS, 'deadlineMs', 200);
      let finish: (status: never) => void = () => undefined;
      jest.spyOn(api.workflows, 'update').mockReturnValue(new Promise((resolve) => (finish = resolve)));
      const late = await api.request('post', `/v1/training_runs/${row.id}/pause`).send({}).expect(504);
      expect(late.body).toMatchObject({ error: { type: 'service_unavailable_error', code: 'deadline_exceeded' } });
      finish('paused' as never);
      await api.request('get', `/v1/training_runs/${row.id}`).expect(200);
    });

    it('a stream has no deadline, and ends where its reader takes nothing', async () => {
      const row = trainingRunRow({ status: 'running', eventSequence: 400 });
      await api.database.dataSource.getRepository(TrainingRun).insert(row);
      await api.database.dataSource.getRepository(RunEvent).insert(
        Array.from({ length: 400 }, (_, n) => ({
          runId: row.id,
          sequence: n + 1,
          eventKey: `key/${n}`,
          type: 'step.completed',
          data: { text: 'x'.repeat(100_000) },
        })),
      );
      jest.replaceProperty(REQUEST_BOUNDS, 'deadlineMs', 200);
      jest.replaceProperty(STREAM_BOUNDS, 'stalledMs', 300);
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
        .setEncoding('utf8')
        .pause();
      socket.write(
        `GET /v1/training_runs/${row.id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${api.key}\r\n` +
          'Accept: text/event-stream\r\n\r\n',
      );
      const [accepted] = (await once(api.app.getHttpServer() as Server, 'request')) as [{ socket: Socket }];
      await once(accepted.socket, 'close');
      socket.destroy();
    });
  });

  describe('with a database that has fallen silent', () => {
    let database: TestDatabase;
    let dataSource: DataSource;
    let proxy: SilentProxy;
    let api: TestApi;
    let key: string;

    beforeAll(async () => {
      database = await createTestDatabase();
      const url = new URL(database.url);
      proxy = await SilentProxy.to(Number(url.port));
      url.port = String(proxy.port);
      dataSource = await createDataSource(url.href, 'api').initialize();
      key = await createApiKey(dataSource, 'default');
      api = await TestApi.start({ dataSource });
    });
    afterAll(async () => {
      await proxy.close();
      await api.stop();
      await dataSource.destroy();
      await database.drop();
    });

    it('health names it before any query has given up, however many ask; lists say so; and all goes on', async () => {
      await api.request('get', '/v1/training_runs', key).expect(200);
      proxy.fallSilent();
      const list = api.request('get', '/v1/training_runs', key).then((answer) => answer);
      const asked = Array.from({ length: 30 }, () => request(api.url).get('/health'));
      const [name, health] = await first({ list, health: Promise.all(asked).then((answers) => answers[29]) });
      expect(name).toBe('health');
      expect(health.status).toBe(503);
      expect(health.body).toMatchObject({
        error: { database: { status: 'down' } },
        info: { temporal: { status: 'up' } },
      });
      expect(await list).toMatchObject({ status: 503, body: { error: { code: 'database_unavailable' } } });
      proxy.speak();
      await api.request('get', '/v1/training_runs', key).expect(200);
      await request(api.url).get('/health').expect(200);
    });
  });

  describe('with a Temporal server that takes connections and never answers', () => {
    let silent: Server;
    const taken: Socket[] = [];
    let connection: Connection;
    let api: TestApi;

    beforeAll(async () => {
      silent = createServer((socket) => void taken.push(socket.resume())).listen(0, '127.0.0.1');
      await once(silent, 'listening');
      connection = Connection.lazy({ address: `127.0.0.1:${(silent.address() as AddressInfo).port}` });
      const operator = loadOperatorFile(`${PROJECT_ROOT}/infra/local/operator.yaml`);
      const workflows = new Workflows(new Client({ connection }), connection, runSettings(operator));
      api = await TestApi.start({ workflows });
    });
    afterAll(async () => {
      await api.stop();
      await connection.close();
      for (const socket of taken) socket.destroy();
      silent.close();
    });

    it('health names it before a verb has given up; the verb says so; a run is queued', async () => {
      const row = trainingRunRow({ status: 'running' });
      await api.database.dataSource.getRepository(TrainingRun).insert(row);
      const verb = api.request('post', `/v1/training_runs/${row.id}/pause`).then((answer) => answer);
      const [name, health] = await first({
        verb,
        health: request(api.url)
          .get('/health')
          .then((answer) => answer),
      });
      expect(name).toBe('health');
      expect(health.body).toMatchObject({
        error: { temporal: { status: 'down' } },
        info: { database: { status: 'up' } },
      });
      expect(await verb).toMatchObject({ status: 503, body: { error: { code: 'temporal_unavailable' } } });
      const created = await api.request('post', '/v1/training_runs').send(RUN).expect(201);
      expect(created.body).toMatchObject({ status: 'queued' });
    });
  });

  describe('with a client that is slow', () => {
    let api: TestApi;

    beforeAll(async () => {
      jest.replaceProperty(CONNECTION_BOUNDS, 'headersTimeout', 300);
      jest.replaceProperty(CONNECTION_BOUNDS, 'requestTimeout', 600);
      jest.replaceProperty(CONNECTION_BOUNDS, 'keepAliveTimeout', 300);
      jest.replaceProperty(CONNECTION_BOUNDS, 'connectionsCheckingInterval', 100);
      api = await TestApi.start();
    });
    afterAll(async () => api.stop());

    /** What the API answers on a connection until it closes it, of its own accord. */
    async function answerTo(...lines: string[]): Promise<string> {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1').setEncoding('utf8');
      let answer = '';
      socket.on('data', (text: string) => (answer += text)).on('error', () => undefined);
      if (lines.length > 0) socket.write(lines.join('\r\n'));
      await once(socket, 'close');
      return answer;
    }

    it.each([
      ['says nothing', []],
      ['says a part of its headers', ['GET /health HTTP/1.1', 'Host: 127.0.0.1', 'X-Slow: ']],
    ])('closes a connection that %s', async (_, lines) => {
      const answer = await answerTo(...lines);
      expect(answer).toMatch(/^(HTTP\/1.1 408 .*"code":"request_too_slow".*)?$/s);
    });

    it('closes a connection that says a part of a body', async () => {
      const head = ['POST /v1/training_runs HTTP/1.1', 'Host: 127.0.0.1', `Authorization: Bearer ${api.key}`];
      const answer = await answerTo(...head, 'Content-Type: application/json', 'Content-Length: 100', '', '{"steps":');
      expect(answer).toMatch(/^HTTP\/1.1 408 .*"code":"request_too_slow"/s);
    });

    it('closes a connection that asks nothing more', async () => {
      expect(await answerTo('GET /health HTTP/1.1', 'Host: 127.0.0.1', '', '')).toMatch(/^HTTP\/1.1 200 /);
    });

    it.each([
      ['no HTTP', 400, 'bad_http', ['EHLO example.org', '', '']],
      ['headers without end', 431, 'headers_too_large', ['GET /health HTTP/1.1', `X: ${'x'.repeat(40_000)}`, '', '']],
      [
        'two lengths',
        400,
        'bad_http',
        ['POST /health HTTP/1.1', 'Host: 127.0.0.1', 'Content-Length: 1', 'Content-Length: 2', '', ''],
      ],
    ])('answers %s in the one shape of errors', async (_, status, code, lines) => {
      const answer = await answerTo(...lines);
      expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(JSON.parse(answer.split('\r\n\r\n')[1])).toMatchObject({
        error: { code, type: 'invalid_request_error' },
      });
    });
  });
});
