import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { DatabaseRole } from '../bounds.js';
import { createDataSource, migrate } from '../data-source.js';

const TEMPLATE = 'agentflow_template';
/** An advisory lock's key: one test process makes the template, the others wait for it. */
const TEMPLATE_LOCK = 4_126_531;

/** An empty, migrated database of one test file. */
export interface TestDatabase {
  url: string;
  dataSource: DataSource;
  /** Closes the data source and drops the database. */
  drop(): Promise<void>;
}

/** A new copy of the migrated template. Call it in beforeAll, and `drop` in afterAll. */
export async function createTestDatabase(role: DatabaseRole = 'command'): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(async (client) => {
    await ensureTemplate(client);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  });
  const url = databaseUrl(name);
  const dataSource = await createDataSource(url, role).initialize();
  return {
    url,
    dataSource,
    drop: async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
      await dropDatabase(name);
    },
  };
}

/**
 * A new database without a schema.
 * @param locale words of ICU, as in `en-US`, by which it compares texts
 */
export async function createEmptyDatabase(locale?: string): Promise<Omit<TestDatabase, 'dataSource'>> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const collated = locale && `TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE '${locale}'`;
  await asAdmin((client) => client.query(`CREATE DATABASE ${name} ${collated ?? ''}`));
  return { url: databaseUrl(name), drop: () => dropDatabase(name) };
}

async function dropDatabase(name: string): Promise<void> {
  await asAdmin((client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
}

async function ensureTemplate(client: pg.Client): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (found.rowCount) return;
    await client.query(`CREATE DATABASE ${TEMPLATE}`);
    await migrate(databaseUrl(TEMPLATE));
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}

async function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function databaseUrl(database: string): string {
  const url = new URL(adminUrl());
  url.pathname = `/${database}`;
  return url.toString();
}

function adminUrl(): string {
  const url = process.env['AGENTFLOW_TEST_POSTGRES'];
  if (!url) throw new Error('There is no PostgreSQL for tests: run them through jest, whose global setup starts it.');
  return url;
}
