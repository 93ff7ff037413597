import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { stopLeftovers } from './leftovers.js';
import { LocalStack, type StackEvent } from './local-stack.js';
import { PortTaken } from './ports.js';
import { waitUntil } from './process-group.js';
import { identify, isRunning } from './process-identity.js';
import { stackPaths } from './stack-options.js';
import type { StackRecord, StackUrls } from './stack-record.js';
import { readStackRecord } from './stack-record.js';
import { findSupervisor, StackRunning } from './supervision.js';

const FREE_PORTS = { postgres: 0, temporal: 0, temporalUi: 0, policyServer: 0, api: 0 };

/** Only the servers: what the services do is shown by the tests in test/. */
const SERVERS = { ports: FREE_PORTS, services: [], databaseUrl: undefined, existingTemporal: false };

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // a killed server: the query rejects
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'agentflow-stack-'));
}

describe(LocalStack, () => {
  const dataDirectory = temporaryDirectory();
  const events: StackEvent[] = [];
  let stack: LocalStack;

  beforeAll(async () => {
    stack = await LocalStack.start({ ...SERVERS, dataDirectory }, { onEvent: (event) => events.push(event) });
  });

  afterAll(async () => {
    const pids = Object.values(stack.pids);
    await stack.stop();
    expect(pids.map((pid) => identify(pid))).toEqual(pids.map(() => undefined));
    rmSync(dataDirectory, { recursive: true });
  });

  const restarted = (name: string, since: number) =>
    waitUntil(() => events.slice(since).some((event) => event.type === 'healthy' && event.name === name), 60_000);

  it('brings the database to the newest schema and makes a key for the API', async () => {
    expect(await query(stack.urls.database, 'SELECT project FROM api_keys')).toEqual([{ project: 'default' }]);
    expect(statSync(stackPaths(dataDirectory).api).mode & 0o777).toBe(0o600);
  });

  it('serves the Temporal UI', async () => {
    expect((await fetch(stack.urls.temporalUi!)).status).toBe(200);
  });

  it('restarts PostgreSQL after kill -9, with what was committed', async () => {
    await query(stack.urls.database, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const since = events.length;
    const before = stack.pids.postgres!;
    process.kill(before, 'SIGKILL');
    expect(await restarted('postgres', since)).toBe(true);
    expect(stack.pids.postgres).not.toBe(before);
    expect(await query(stack.urls.database, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('restarts PostgreSQL although a session was busy when it was killed', async () => {
    const busy = query(stack.urls.database, 'SELECT pg_sleep(300)').catch((error: Error) => error);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const since = events.length;
    process.kill(stack.pids.postgres!, 'SIGKILL');
    expect(await restarted('postgres', since)).toBe(true);
    expect(await busy).toBeInstanceOf(Error);
    expect(await query(stack.urls.database, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('restarts Temporal after kill -9', async () => {
    const since = events.length;
    process.kill(stack.pids.temporal!, 'SIGKILL');
    expect(await restarted('temporal', since)).toBe(true);
    expect((await fetch(stack.urls.temporalUi!)).status).toBe(200);
  });

  it('refuses a second supervisor of its data directory and names the first', async () => {
    const second = LocalStack.start({ ...SERVERS, dataDirectory });
    await expect(second).rejects.toThrow(StackRunning);
    await expect(second).rejects.toThrow(`process ${process.pid}`);
  });

  it('refuses a port that is taken, and leaves nothing behind', async () => {
    const other = temporaryDirectory();
    const ports = { ...FREE_PORTS, temporal: Number(stack.urls.temporal.split(':')[1]) };
    await expect(LocalStack.start({ ...SERVERS, ports, dataDirectory: other })).rejects.toThrow(PortTaken);
    expect(readStackRecord(stackPaths(other).record).children).toEqual({});
    rmSync(other, { recursive: true });
  });
});

describe('a start that is aborted', () => {
  it.each(['nothing', 'postgres', 'temporal'])('leaves nothing behind when %s has started', async (name) => {
    const dataDirectory = temporaryDirectory();
    const stop = new AbortController();
    if (name === 'nothing') setTimeout(() => stop.abort(), 50);
    const onEvent = (event: StackEvent) => {
      if (event.type === 'healthy' && event.name === name) stop.abort();
    };
    await expect(LocalStack.start({ ...SERVERS, dataDirectory }, { onEvent, signal: stop.signal })).rejects.toThrow(
      /aborted/,
    );
    expect(await stopLeftovers({ children: {} }, dataDirectory)).toEqual([]);
    expect(findSupervisor(dataDirectory)).toBeUndefined();
    rmSync(dataDirectory, { recursive: true });
  });
});

describe('a supervisor that is killed', () => {
  const dataDirectory = temporaryDirectory();
  const supervisors: ChildProcess[] = [];

  afterAll(() => {
    for (const supervisor of supervisors) supervisor.kill('SIGKILL');
    rmSync(dataDirectory, { recursive: true });
  });

  async function startSupervisor(): Promise<{ supervisor: ChildProcess; urls: StackUrls }> {
    const script = fileURLToPath(new URL('./testing/supervise-servers.mjs', import.meta.url));
    const env = { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '' };
    const supervisor = spawn(process.execPath, [script, dataDirectory], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    supervisors.push(supervisor);
    for await (const line of createInterface({ input: supervisor.stdout })) {
      return { supervisor, urls: (JSON.parse(line) as { urls: StackUrls }).urls };
    }
    throw new Error('The supervisor ended before its stack was up.');
  }

  it('leaves processes that the next start stops; the data is there', async () => {
    const first = await startSupervisor();
    await query(first.urls.database, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const dead = once(first.supervisor, 'exit');
    first.supervisor.kill('SIGKILL');
    await dead;
    const { children }: StackRecord = readStackRecord(stackPaths(dataDirectory).record);
    expect(Object.keys(children).sort()).toEqual(['postgres', 'temporal']);
    expect(Object.values(children).every(isRunning)).toBe(true);

    const events: StackEvent[] = [];
    const next = await LocalStack.start({ ...SERVERS, dataDirectory }, { onEvent: (event) => events.push(event) });
    try {
      expect(events[0]).toMatchObject({ type: 'notice', message: expect.stringContaining('postgres') });
      expect(Object.values(children).some(isRunning)).toBe(false);
      expect(await query(next.urls.database, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    } finally {
      await next.stop();
    }
  });
});
