import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createDataSource, migrate } from '../../../infra/database/data-source.js';
import { Removal } from '../../../infra/database/entities/index.js';
import { explain } from '../../../infra/database/testing/explain.js';
import { createEmptyDatabase } from '../../../infra/database/testing/test-database.js';
import { deleteRowsOf, ownedTables, rowsOf } from './rows-of.js';

/** Of other runs, among which those of one are to be found. */
const FLOWS = 40_000;

describe('rows of what is deleted, in a database that compares texts as English does', () => {
  let database: Awaited<ReturnType<typeof createEmptyDatabase>>;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createEmptyDatabase('en-US');
    await migrate(database.url);
    dataSource = await createDataSource(database.url, 'command').initialize();
    const insert = (row: string, table: string) =>
      dataSource.query(
        `INSERT INTO ${table} SELECT ${row} FROM generate_series(1, ${FLOWS}) AS n, LATERAL (SELECT 'run-' || n % 200 || '/1/0/' || n AS flow) AS f`,
      );
    await insert("flow, 1, 'planner', '{}'", 'turns (flow_id, turn, module, output)');
    await insert(
      "flow, 1, 'm', 's', 0, 'a', '{}'",
      'model_replies (flow_id, turn, module, request_sha256, occurrence, attempt, reply)',
    );
    await insert("flow, 1, 't', 'a'", 'tool_calls (flow_id, turn, tool, attempt)');
    await dataSource.query('ANALYZE');
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('collates as it says', async () => {
    const [{ before }] = await dataSource.query<{ before: boolean }[]>(`SELECT 'a' < 'B' AS before`);
    expect(before).toBe(true);
  });

  it.each(['turns', 'model_replies', 'tool_calls'])('of %s are found by its primary key', async (name) => {
    const table = ownedTables(dataSource).find((owned) => owned.name === name)!;
    const lines = await explain(dataSource, ...rowsOf(table, 'run-7'));
    expect(lines).toMatch(
      new RegExp(`Bitmap Index Scan on ${name}_pkey[\\s\\S]*~>=~|${name}_pkey[\\s\\S]*>= 'run-7/'`),
    );
    expect(lines).not.toContain('Seq Scan');
  });

  it('are deleted, and no row of one whose id begins alike', async () => {
    await dataSource.getRepository(Removal).insert({ id: 'run-7', project: 'default' });
    const count = async (like: string) =>
      Number(
        (await dataSource.query<{ n: string }[]>('SELECT count(*) AS n FROM turns WHERE flow_id LIKE $1', [like]))[0].n,
      );
    const others = (await count('run-7%')) - (await count('run-7/%'));
    for (const table of ownedTables(dataSource)) await deleteRowsOf(dataSource, 'run-7', table, () => undefined);
    expect([await count('run-7/%'), await count('run-7%')]).toEqual([0, others]);
    expect(others).toBeGreaterThan(0);
  });
});
