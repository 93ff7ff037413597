import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type DataSource } from 'typeorm';
import { DATABASE_BOUNDS, type DatabaseRole } from './bounds.js';
import { createDataSource, migrate } from './data-source.js';
import { SilentProxy } from './testing/silent-proxy.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';

describe(createDataSource, () => {
  let database: TestDatabase;
  const opened: DataSource[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((dataSource) => dataSource.destroy()));
    await database.drop();
  });

  const open = async (role: DatabaseRole, url = database.url, poolSize = 2): Promise<DataSource> => {
    const dataSource = await createDataSource(url, role, poolSize).initialize();
    opened.push(dataSource);
    return dataSource;
  };

  it('has its connections probed, so that a query ends whose server is gone without a word', async () => {
    const probed = jest.spyOn(Socket.prototype, 'setKeepAlive');
    await open('command');
    expect(probed).toHaveBeenCalledWith(true, 10_000);
  });

  it.each(Object.keys(DATABASE_BOUNDS) as DatabaseRole[])(
    'I16 tells the server the bounds of the role %s',
    async (role) => {
      const dataSource = await open(role);
      const names = ['lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'];
      const rows = await dataSource.query<{ name: string; setting: string }[]>(
        'SELECT name, setting FROM pg_settings WHERE name = ANY($1)',
        [names],
      );
      const { lockMs, statementMs, idleInTransactionMs } = DATABASE_BOUNDS[role];
      expect(new Map(rows.map(({ name, setting }) => [name, Number(setting)]))).toEqual(
        new Map([
          ['lock_timeout', lockMs],
          ['statement_timeout', statementMs],
          ['idle_in_transaction_session_timeout', idleInTransactionMs],
        ]),
      );
    },
  );

  it('I16 waits for no lock without end: the statement fails, and its connection can be used again', async () => {
    const [holder, waiter] = [await open('command'), await open('api', database.url, 1)];
    const lock = holder.createQueryRunner();
    await lock.startTransaction();
    await lock.query('LOCK TABLE training_runs IN SHARE MODE');
    const deleting = waiter.transaction((manager) => manager.query('DELETE FROM training_runs'));
    await expect(deleting).rejects.toMatchObject({ driverError: { code: '55P03' } });
    await expect(waiter.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    await lock.rollbackTransaction();
    await lock.release();
  });

  it('I16 waits for no server that has fallen silent, and goes on with a new connection once it speaks', async () => {
    const url = new URL(database.url);
    const proxy = await SilentProxy.to(Number(url.port));
    url.port = String(proxy.port);
    const dataSource = await createDataSource(url.href, 'api', 1).initialize();
    try {
      proxy.fallSilent();
      await expect(dataSource.query('SELECT 1')).rejects.toThrow();
      await expect(dataSource.query('SELECT 1')).rejects.toThrow();
      await expect(dataSource.transaction((manager) => manager.query('SELECT 1'))).rejects.toThrow();
      proxy.speak();
      await expect(dataSource.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
    } finally {
      await proxy.close();
      await dataSource.destroy();
    }
  });

  it('I16 waits for no free connection without end', async () => {
    const dataSource = await open('api', database.url, 1);
    const only = dataSource.createQueryRunner();
    await only.connect();
    await expect(dataSource.query('SELECT 1')).rejects.toThrow(/timeout exceeded/);
    await only.release();
    await expect(dataSource.query('SELECT 1 AS one')).resolves.toEqual([{ one: 1 }]);
  });

  it('I16 says who keeps it from migrating', async () => {
    const patience = jest.replaceProperty(DATABASE_BOUNDS.migrations, 'lockMs', 500);
    const holder = await open('command');
    const runner = holder.createQueryRunner();
    await runner.query('SELECT pg_advisory_lock(4126530)');
    const [session] = (await runner.query('SELECT pg_backend_pid() AS pid')) as unknown as { pid: number }[];
    await expect(migrate(database.url)).rejects.toThrow(
      new RegExp(`not migrated: another session .*${session?.pid} \\("agentflow"`),
    );
    await runner.query('SELECT pg_advisory_unlock_all()');
    await runner.release();
    await expect(migrate(database.url)).resolves.toBeUndefined();
    patience.restore();
  });
});
