import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TrainingRun } from '../entities/index.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { trainingRunRow } from '../testing/training-run-row.js';
import { OrderAndLives1795831200000 } from './1795831200000-order-and-lives.js';

describe(OrderAndLives1795831200000, () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());

  it('numbers what is there in the order that its lists had, and what comes after it', async () => {
    const { dataSource } = database;
    const repository = dataSource.getRepository(TrainingRun);
    const days = [3, 1, 2, 2];
    const rows = days.map((day, i) => trainingRunRow({ id: `run-${i}`, createdAt: new Date(Date.UTC(2026, 0, day)) }));
    await repository.insert(rows);
    const runner = dataSource.createQueryRunner();
    try {
      const migration = new OrderAndLives1795831200000();
      await migration.down(runner);
      await migration.up(runner);
    } finally {
      await runner.release();
    }
    await repository.insert(trainingRunRow({ id: 'run-new', createdAt: new Date(Date.UTC(2026, 0, 1)) }));
    const numbered = await repository.find({ order: { number: 'ASC' } });
    expect(numbered.map(({ id }) => id)).toEqual(['run-1', 'run-2', 'run-3', 'run-0', 'run-new']);
  });
});
