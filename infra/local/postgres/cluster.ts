import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { isCluster, readCluster } from './cluster-state.js';
import { passwordFile, type PostgresHome } from './home.js';
import { pgdata, rememberIdentity, unfinishedPgdata } from './location.js';

/** Superuser of the private server and name of its database. */
const NAME = 'agentflow';
/** For a server to accept a connection, and again to answer the simplest query. */
const ANSWER_MS = 5_000;

/** The URL of the private database, password included. */
export function databaseUrl(home: PostgresHome, port: number, database = NAME): string {
  return `postgres://${NAME}:${readFileSync(passwordFile(home), 'utf8').trim()}@127.0.0.1:${port}/${database}`;
}

/**
 * Makes the database cluster where there is none; a cluster appears whole or not at all. What an `initdb` that was killed
 * has left is moved aside.
 */
export async function ensureCluster(home: PostgresHome, notice: (message: string) => void): Promise<void> {
  if (home.cluster) return;
  const fresh = unfinishedPgdata(home);
  if (existsSync(fresh)) {
    const aside = `${fresh}.${new Date().toISOString().replaceAll(':', '')}`;
    renameSync(fresh, aside);
    notice(
      `An earlier start was interrupted while it made the database. What it left is in ${aside}, and can be removed.`,
    );
  }
  writePassword(home);
  const args = ['--auth=scram-sha-256', `--username=${NAME}`, `--pwfile=${passwordFile(home)}`];
  await initdb(home, [`--pgdata=${fresh}`, ...args, '--encoding=UTF8', '--locale=C']);
  const made = readCluster(fresh);
  if (!isCluster(made)) throw new Error(`initdb has left no whole database in ${fresh}.`);
  rememberIdentity(home.dataDirectory, made); // before it gets its name: a start that dies here finishes that
  renameSync(fresh, pgdata(home));
  syncDirectory(home.directory);
}

/** Creates the database inside a running server. */
export async function ensureDatabase(home: PostgresHome, port: number): Promise<void> {
  await withClient(databaseUrl(home, port, 'postgres'), async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [NAME]);
    if (!found.rowCount) await client.query(`CREATE DATABASE ${NAME}`);
  });
}

/** Rejects while the server at the URL takes no connections. */
export async function checkServer(url: string): Promise<void> {
  await withClient(url, (client) => client.query({ text: 'SELECT 1', query_timeout: ANSWER_MS } as pg.QueryConfig));
}

/** Rejects if the server at the URL says nothing at all: "starting up" or "too many clients" is an answer. */
export async function askServer(url: string): Promise<void> {
  await checkServer(url).catch((error: unknown) => {
    if (!(error instanceof pg.DatabaseError)) throw error;
  });
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: ANSWER_MS, query_timeout: 30_000 });
  client.on('error', () => undefined); // a server that dies meanwhile: the call itself rejects
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function writePassword(home: PostgresHome): void {
  writeFileSync(passwordFile(home), `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
  if (home.user) chownSync(passwordFile(home), home.user.uid, home.user.gid);
}

function syncDirectory(directory: string): void {
  const file = openSync(directory, 'r');
  fsyncSync(file);
  closeSync(file);
}

async function initdb(home: PostgresHome, args: string[]): Promise<void> {
  const child = spawn(join(home.bin, 'initdb'), args, {
    cwd: home.directory,
    env: { ...process.env, LC_ALL: 'C' },
    ...(home.user && { uid: home.user.uid, gid: home.user.gid }),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`initdb in ${home.directory} ended with exit code ${code}:\n${errors}`);
}
