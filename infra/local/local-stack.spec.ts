import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { describeChild } from './describe.js';
import { stopLeftovers } from './leftovers.js';
import { LocalStack } from './local-stack.js';
import { PortTaken } from './ports.js';
import { waitUntil } from './process-group.js';
import { identify, isRunning } from './process-identity.js';
import type { StackEvent } from './stack-events.js';
import { stackPaths } from './stack-options.js';
import type { StackRecord, StackUrls } from './stack-record.js';
import { readStackRecord } from './stack-record.js';
import { findSupervisor, StackRunning } from './supervision.js';
import { beginHistory } from './temporal-database.js';

/** Answer to a request under another name than the address that it goes to, as a web page can have one. */
async function askAs(host: string, url: string): Promise<{ status?: number; cookies?: string[] }> {
  const [response] = (await once(get(url, { headers: { host } }), 'response')) as [IncomingMessage];
  response.resume();
  return { status: response.statusCode, cookies: response.headers['set-cookie'] };
}

/** TCP addresses on which a process listens, as `address:port`. */
function listening(pid: number): string[] {
  const files = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const lines = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return lines
    .filter((fields) => fields[3] === '0A' && files.includes(`socket:[${fields[9]}]`))
    .map(([, local]) => {
      const [address, port] = local.split(':').map((hex) => Buffer.from(hex, 'hex'));
      return `${[...address].reverse().join('.')}:${port.readUInt16BE()}`;
    });
}

const FREE_PORTS = { postgres: 0, temporal: 0, temporalUi: 0, policyServer: 0, api: 0 };

/** Only the servers: what the services do is shown by the tests in test/. */
const SERVERS = { ports: FREE_PORTS, services: [], databaseUrl: undefined, existingTemporal: false };

/** Longer than a server of a busy machine takes to answer, shorter than a test. */
const SILENCE_MS = 20_000;

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
    // As earlier versions left it.
    for (const name of ['artifacts', 'logs']) {
      mkdirSync(join(dataDirectory, name));
      chmodSync(join(dataDirectory, name), 0o755);
    }
    writeFileSync(stackPaths(dataDirectory).api, '{}');
    chmodSync(stackPaths(dataDirectory).api, 0o644);
    // As a first start left it that was killed before Temporal's server had made its tables.
    const { temporalDatabase } = stackPaths(dataDirectory);
    beginHistory(temporalDatabase);
    writeFileSync(temporalDatabase, '');
    stack = await LocalStack.start(
      { ...SERVERS, dataDirectory, silenceMs: SILENCE_MS },
      { onEvent: (event) => events.push(event) },
    );
  });

  afterAll(async () => {
    const pids = Object.values(stack.pids);
    await stack.stop();
    expect(pids.map((pid) => identify(pid))).toEqual(pids.map(() => undefined));
    rmSync(dataDirectory, { recursive: true });
  });

  const restarted = (name: string, since: number) =>
    waitUntil(() => events.slice(since).some((event) => event.type === 'healthy' && event.name === name), 60_000);

  it('I13: makes the history anew if the first start was interrupted while it was made, and keeps it from then on', () => {
    const { temporalDatabase } = stackPaths(dataDirectory);
    expect(events).toContainEqual({ type: 'notice', message: expect.stringContaining('first start was interrupted') });
    expect(existsSync(temporalDatabase)).toBe(true);
    expect(beginHistory(temporalDatabase)).toBe(false);
    expect(existsSync(`${temporalDatabase}.unfinished`)).toBe(false);
  });

  it('brings the database to the newest schema and makes a key for the API', async () => {
    expect(await query(stack.urls.database, 'SELECT project FROM api_keys')).toEqual([{ project: 'default' }]);
    expect(statSync(stackPaths(dataDirectory).api).mode & 0o777).toBe(0o600);
  });

  it('serves the Temporal UI', async () => {
    expect((await fetch(stack.urls.temporalUi!)).status).toBe(200);
  });

  it('shows the UI to no page that points a name of its own at it, nor gives it a cookie', async () => {
    expect(await askAs('evil.example', `${stack.urls.temporalUi!}/api/v1/namespaces`)).toEqual({ status: 421 });
    expect(await askAs('localhost', `${stack.urls.temporalUi!}/api/v1/namespaces`)).toMatchObject({ status: 200 });
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('has the UI itself on a port to which no browser connects, and no other page of Temporal open', async () => {
    const pages = listening(stack.pids.temporal!).filter((address) => !address.startsWith('127.0.0.1:'));
    expect(pages).toHaveLength(1);
    const refused = await fetch(`http://${pages[0]}/`).catch((error: Error) => error.cause);
    expect(refused).toMatchObject({ message: 'bad port' });
    for (const address of listening(stack.pids.temporal!)) {
      const answer = await askAs('evil.example', `http://${address}/api/v1/namespaces`).catch(() => ({ status: 0 }));
      if (address !== pages[0]) expect([0, 403, 404]).toContain(answer.status);
    }
  });

  it('keeps histories, artifacts, logs and keys from other users, those of an earlier version too', () => {
    const open = readdirSync(dataDirectory, { withFileTypes: true })
      .filter(({ name }) => name !== 'postgres')
      .filter(({ name }) => (statSync(join(dataDirectory, name)).mode & 0o077) !== 0);
    expect(open.map(({ name }) => name)).toEqual([]);
    expect(statSync(stackPaths(dataDirectory).temporalDatabase).size).toBeGreaterThan(0);
    expect(statSync(join(dataDirectory, 'postgres')).mode & 0o077).toBe(0);
    const logs = readdirSync(join(dataDirectory, 'logs'), { withFileTypes: true });
    expect(logs.filter(({ name }) => (statSync(join(dataDirectory, 'logs', name)).mode & 0o077) !== 0)).toEqual([]);
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

  it.each(['postgres', 'temporal'] as const)('restarts %s when it hangs, and says so', async (name) => {
    const since = events.length;
    const pid = stack.pids[name]!;
    process.kill(pid, 'SIGSTOP');
    expect(await restarted(name, since)).toBe(true);
    expect(events.slice(since)).toContainEqual(expect.objectContaining({ type: 'hung', name, pid }));
    const { children } = readStackRecord(stackPaths(dataDirectory).record);
    expect(describeChild(children[name])).toMatch(
      /^running, pid \d+, restarted .* because it had not answered for \d+ s$/,
    );
    expect(await query(stack.urls.database, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
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

  it('takes its processes with it; the next start finds the data', async () => {
    const first = await startSupervisor();
    await query(first.urls.database, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const dead = once(first.supervisor, 'exit');
    first.supervisor.kill('SIGKILL');
    await dead;
    const { children }: StackRecord = readStackRecord(stackPaths(dataDirectory).record);
    expect(Object.keys(children).sort()).toEqual(['postgres', 'temporal', 'temporal-ui']);
    expect(await waitUntil(() => !Object.values(children).some(isRunning), 60_000)).toBe(true);

    const next = await LocalStack.start({ ...SERVERS, dataDirectory });
    try {
      expect(await query(next.urls.database, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    } finally {
      await next.stop();
    }
  });
});
