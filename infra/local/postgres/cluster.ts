import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { PostgresHome } from './home.js';

/** Superuser of the private server and name of its database. */
const NAME = 'agentflow';

/** PGDATA of a home. */
export function pgdata(home: PostgresHome): string {
  return join(home.directory, 'data');
}

/** The URL of the private database, password included. */
export function databaseUrl(home: PostgresHome, port: number, database = NAME): string {
  return `postgres://${NAME}:${readFileSync(passwordFile(home), 'utf8').trim()}@127.0.0.1:${port}/${database}`;
}

/** Makes the database cluster where there is none; a cluster appears whole or not at all. */
export async function ensureCluster(home: PostgresHome): Promise<void> {
  if (existsSync(pgdata(home))) return;
  const fresh = `${pgdata(home)}.new`;
  rmSync(fresh, { recursive: true, force: true });
  writePassword(home);
  const args = ['--auth=scram-sha-256', `--username=${NAME}`, `--pwfile=${passwordFile(home)}`];
  await initdb(home, [`--pgdata=${fresh}`, ...args, '--encoding=UTF8', '--locale=C']);
  renameSync(fresh, pgdata(home));
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
  await withClient(url, (client) => client.query('SELECT 1'));
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 });
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

function passwordFile(home: PostgresHome): string {
  return join(home.directory, 'password');
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
