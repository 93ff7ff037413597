import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { createApiKey } from './api-keys.js';
import { TrainingRun } from './entities/index.js';
import { endRow, requeueRow } from './submission-rows.js';
import { untilSomebodyWaits } from './testing/lock-wait.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';
import { trainingRunRow } from './testing/training-run-row.js';

describe('the place of a run in the queue of its project', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    for (const project of ['default', 'theirs']) await createApiKey(database.dataSource, project);
  });
  afterAll(async () => database.drop());

  const insert = async (
    overrides: Partial<TrainingRun> = {},
    { manager }: Pick<DataSource, 'manager'> = database.dataSource,
  ): Promise<string> => {
    const row = trainingRunRow(overrides);
    await manager.insert(TrainingRun, row);
    return row.id;
  };
  const rowOf = (id: string) => database.dataSource.getRepository(TrainingRun).findOneByOrFail({ id });
  const placeOf = async (id: string) => (await rowOf(id)).place!;

  it('becomes visible after every earlier one, whichever transaction began first', async () => {
    const slow = database.dataSource.createQueryRunner();
    await slow.startTransaction();
    const first = await insert({}, slow);
    let isVisible = false;
    const second = insert().then((id) => {
      isVisible = true;
      return id;
    });
    await untilSomebodyWaits(database.dataSource);
    expect(isVisible).toBe(false);
    // Another project's queue is another one.
    await insert({ project: 'theirs' });
    await slow.commitTransaction();
    await slow.release();
    expect(await placeOf(await second)).toBeGreaterThan(await placeOf(first));
  });

  it('is the last again if the run is queued again, and stays whatever else is written', async () => {
    const [first, second] = [await insert(), await insert()];
    const { manager } = database.dataSource;
    const before = await placeOf(first);
    const lost = { status: 'failed', failure: { type: 'WorkflowLost', message: 'gone' } } as const;
    await endRow(manager, TrainingRun, await rowOf(first), lost);
    expect(await placeOf(first)).toBe(before);
    expect(await requeueRow(manager, TrainingRun, await rowOf(first))).toBe(true);
    expect(await placeOf(first)).toBeGreaterThan(await placeOf(second));
  });
});
