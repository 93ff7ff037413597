import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { BreakableDatabase } from '../../infra/database/testing/breakable-database.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import type { TurnKey } from './turn-key.js';
import { TurnStore } from './turn-store.js';
import { untilWritten } from './until-written.js';

describe('what an activity holds while the database is not there', () => {
  let database: TestDatabase;
  let breakable: BreakableDatabase;
  let turns: TurnStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    breakable = await BreakableDatabase.open(database.url);
    turns = new TurnStore(breakable.dataSource);
  });
  afterAll(async () => {
    await breakable.close();
    await database.drop();
  });

  const signal = new AbortController().signal;
  const key = (flowId: string): TurnKey => ({ flowId, turn: 1, module: 'planner' });

  it('I15: is written when it is there again, and produced once', async () => {
    let produced = 0;
    const { dataSource } = breakable;
    const tried = jest.spyOn(dataSource, 'createQueryBuilder');
    const thirdTry = new Promise<void>((resolve) => {
      tried.mockImplementation((...args) => {
        if (tried.mock.calls.length === 3) resolve();
        return DataSource.prototype.createQueryBuilder.apply(dataSource, args as []);
      });
    });
    const holding = turns.once(
      key('held'),
      async () => {
        produced += 1;
        await breakable.break();
        return { output: { text: 'sampled' } };
      },
      signal,
    );
    await thirdTry;
    tried.mockRestore();
    await breakable.mend();
    expect(await holding).toMatchObject({ text: 'sampled' });
    expect(produced).toBe(1);
    expect(await turns.once(key('held'), () => Promise.reject(new Error('asked again')), signal)).toMatchObject({
      text: 'sampled',
    });
  });

  it('is let go when the call is cancelled', async () => {
    const cancelled = new AbortController();
    await breakable.break();
    let tries = 0;
    const holding = untilWritten(cancelled.signal, async () => {
      tries += 1;
      if (tries === 2) cancelled.abort(new Error('cancelled'));
      return breakable.dataSource.query<unknown>('SELECT 1');
    });
    await expect(holding).rejects.toThrow('cancelled');
    expect(tries).toBe(2);
    await breakable.mend();
  });

  it('is not waited for by a call that is cancelled while the database hangs', async () => {
    const cancelled = new AbortController();
    const holding = untilWritten(cancelled.signal, () => new Promise(() => undefined));
    cancelled.abort(new Error('cancelled'));
    await expect(holding).rejects.toThrow('cancelled');
  });

  it.each([
    ['SELECT 1/0', /division by zero/],
    ['SELECT \'{"a": "\\u0000"}\'::jsonb', /unsupported Unicode escape sequence/],
    ['SELECT nothing', /does not exist/],
  ])('is not tried again for %s, which the database refuses', async (statement, message) => {
    let tries = 0;
    const writing = untilWritten(signal, () => {
      tries += 1;
      return database.dataSource.query(statement);
    });
    await expect(writing).rejects.toThrow(message);
    expect(tries).toBe(1);
  });
});
