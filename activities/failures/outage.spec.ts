import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { DataSource } from 'typeorm';
import { fetch } from 'undici';
import { z } from 'zod';
import { FailureType } from '../../contracts/failures.js';
import { TrainingStep } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { PolicyServerAnswerInvalid, PolicyServerUnavailable, PolicyUnusable } from '../engines/policy-errors.js';
import { isOutage, OutageType } from './outage.js';
import { isTransient } from '../http/transient-status.js';

describe('isOutage, of real errors', () => {
  let database: TestDatabase;
  let directory: string;
  let server: Server;
  let answer: RequestListener = (_, response) => response.end();
  let address: string;
  /** Nothing listens there. */
  let nobody: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    directory = await mkdtemp(join(tmpdir(), 'agentflow-outage-'));
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    nobody = `127.0.0.1:${(closed.address() as AddressInfo).port}`;
    closed.close();
    await once(closed, 'close');
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
    await database.drop();
  });

  async function raised(work: () => Promise<unknown>): Promise<unknown> {
    return work().then(
      () => {
        throw new Error('nothing was thrown');
      },
      (error: unknown) => error,
    );
  }
  const query = (sql: string): Promise<unknown> => database.dataSource.query<unknown>(sql);
  const plpgsql = (code: string) => query(`DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${code}'; END $$`);
  /** Another client of the same database. */
  async function client(): Promise<DataSource> {
    const { options } = database.dataSource;
    return new DataSource({
      ...options,
      entities: [],
      migrations: [],
      extra: { max: 1 },
    }).initialize();
  }

  const outages: [name: string, work: () => Promise<unknown>][] = [
    ['fetch: nobody listens', () => fetch(`http://${nobody}`)],
    ['fetch: no such host', () => fetch('http://no-such-host.invalid')],
    [
      'fetch: the server hangs up',
      () => {
        answer = (_, response) => response.destroy();
        return fetch(address);
      },
    ],
    [
      'fetch: half a body',
      async () => {
        answer = (_, response) =>
          response.writeHead(200, { 'content-length': 99 }).write('{', () => response.destroy());
        return (await fetch(address)).text();
      },
    ],
    [
      'fetch: no answer in time',
      () => {
        answer = () => undefined;
        return fetch(address, { signal: AbortSignal.timeout(20) });
      },
    ],
    ['a socket whose server is not running', () => connecting({ path: join(directory, 'no.sock') })],
    [
      'fs: the disk is full',
      async () => {
        const file = await open('/dev/full', 'w');
        return file.writeFile('x').finally(() => file.close());
      },
    ],
    ['pg: nobody listens', () => new DataSource({ type: 'postgres', url: `postgres://u@${nobody}/d` }).initialize()],
    [
      'pg: the server ends the connection in the middle of a query',
      async () => {
        const other = await client();
        try {
          const [{ pid }] = await other.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
          const sleeping = other.query<unknown>('SELECT pg_sleep(60)');
          sleeping.catch(() => undefined); // it may end before it is awaited
          await query(`SELECT pg_terminate_backend(${pid})`);
          return await sleeping;
        } finally {
          await other.destroy();
        }
      },
    ],
    [
      'pg: a statement takes too long',
      async () => {
        const other = await client();
        try {
          await other.query('SET statement_timeout = 10');
          return await other.query<unknown>('SELECT pg_sleep(60)');
        } finally {
          await other.destroy();
        }
      },
    ],
    ['pg: two transactions cannot be put in an order', () => plpgsql('40001')],
    ['pg: a deadlock', () => plpgsql('40P01')],
    ['pg: too many connections', () => plpgsql('53300')],
    ['pg: its disk is full', () => plpgsql('53100')],
    ['pg: it is starting up', () => plpgsql('57P03')],
    [
      'pg: it takes no writes now',
      async () =>
        query('SET default_transaction_read_only = on').then(async () => {
          try {
            return await query('CREATE TABLE x ()');
          } finally {
            await query('SET default_transaction_read_only = off');
          }
        }),
    ],
    ['pg: a proxy lost the server', () => plpgsql('08P01')],
    [
      'gRPC: nobody listens',
      async () => {
        const connection = Connection.lazy({ address: nobody });
        const asked = connection.withDeadline(Date.now() + 5_000, () => connection.workflowService.getClusterInfo({}));
        return asked.finally(() => connection.close());
      },
    ],
    ['the policy server does not answer', () => Promise.reject(new PolicyServerUnavailable('503'))],
    [
      'a provider asks to come again',
      () => Promise.reject(ApplicationFailure.create({ type: OutageType.ProviderUnavailable, message: '429' })),
    ],
    ['an error that wraps one of these', () => Promise.reject(new Error('no', { cause: code('ECONNRESET') }))],
    [
      'an HTTP client whose error carries a status',
      () => Promise.reject(Object.assign(new Error('no'), { status: 503 })),
    ],
  ];
  it.each(outages)('%s: an outage', async (_, work) => {
    const error = await raised(work);
    expect([isOutage(error), error]).toEqual([true, error]);
  });

  const defects: [name: string, work: () => Promise<unknown>][] = [
    ['a TypeError', async () => (undefined as unknown as string[]).map(String)],
    ['a RangeError', async () => 'x'.repeat(-1)],
    ['what zod refuses', async () => z.object({ a: z.string() }).parse({})],
    ['JSON that is none', async () => JSON.parse('{') as unknown],
    ['fetch: no URL', () => fetch('nonsense')],
    ['fetch: a protocol that it does not speak', () => fetch('gopher://127.0.0.1')],
    ['fs: a file that is gone', () => readFile(join(directory, 'gone'))],
    ['fs: a directory in the place of a file', () => readFile(directory)],
    ['pg: a NUL character in a text', () => database.dataSource.query('SELECT $1::text', ['a\0b'])],
    ['pg: a number that no column holds', () => query('SELECT 1e400::float8')],
    ['pg: a row without what it needs', () => database.dataSource.getRepository(TrainingStep).insert({ step: 1 })],
    ['pg: no such table', () => query('SELECT * FROM nowhere')],
    ['pg: half a surrogate pair in JSON', () => query(`SELECT '"\\ud800"'::jsonb`)],
    ['a policy whose files are gone', () => Promise.reject(new PolicyUnusable('run-a@3 cannot be loaded'))],
    ['an answer that breaks its contract', () => Promise.reject(new PolicyServerAnswerInvalid('no tokens'))],
    ['a failure of the closed list', () => Promise.reject(ApplicationFailure.nonRetryable('no', FailureType.NotFound))],
    [
      'an HTTP client whose error says that the request is wrong',
      () => Promise.reject(Object.assign(new Error('no'), { status: 422 })),
    ],
  ];
  it.each(defects)('%s: a defect', async (_, work) => {
    const error = await raised(work);
    expect([isOutage(error), error]).toEqual([false, error]);
  });

  it('what is no error at all: a defect', () => {
    expect(isOutage('no')).toBe(false);
  });

  it('a chain of causes that is a circle ends', () => {
    const [one, other] = [new Error('one'), new Error('other')];
    one.cause = other;
    other.cause = one;
    expect(isOutage(one)).toBe(false);
  });

  it.each([[408], [425], [429], [500], [502], [503], [504]])('%i may be answered later', (status) => {
    expect(isTransient(status)).toBe(true);
  });
  it.each([[400], [401], [403], [404], [413], [422]])('%i will not', (status) => {
    expect(isTransient(status)).toBe(false);
  });
});

function connecting(options: { path: string }): Promise<void> {
  return new Promise((resolve, reject) => connect(options, resolve).on('error', reject));
}

function code(name: string): Error {
  return Object.assign(new Error(name), { code: name });
}
