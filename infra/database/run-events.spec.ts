import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RunEvent, TrainingRun } from './entities/index.js';
import { appendEvent } from './run-events.js';
import { writeRunStatus } from './run-status.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';
import { trainingRunRow } from './testing/training-run-row.js';

describe('run events', () => {
  let database: TestDatabase;
  let runId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());
  beforeEach(async () => {
    const row = trainingRunRow();
    runId = row.id;
    await database.dataSource.getRepository(TrainingRun).insert(row);
  });

  const append = (key: string, data: Record<string, unknown> = {}): Promise<number> =>
    database.dataSource.transaction((manager) => appendEvent(manager, runId, key, 'step.completed', data));
  const events = (): Promise<RunEvent[]> =>
    database.dataSource.getRepository(RunEvent).find({ where: { runId }, order: { sequence: 'ASC' } });

  it('number themselves from 1 without gaps when many write at once', async () => {
    await Promise.all(Array.from({ length: 25 }, (_, index) => append(`step/${index}`)));
    const sequences = (await events()).map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  });

  it('are written once per key, also when retries race', async () => {
    const sequences = await Promise.all(Array.from({ length: 8 }, () => append('step/1', { loss: 1 })));
    expect(new Set(sequences)).toEqual(new Set([1]));
    expect(await events()).toHaveLength(1);
  });

  it('leave no gap when the transaction that wrote one is rolled back', async () => {
    const failing = database.dataSource.transaction(async (manager) => {
      await appendEvent(manager, runId, 'lost', 'step.completed', {});
      throw new Error('roll back');
    });
    await expect(failing).rejects.toThrow('roll back');
    expect(await append('kept')).toBe(1);
  });

  it('need a transaction and a run that exists', async () => {
    const { dataSource } = database;
    await expect(appendEvent(dataSource.manager, runId, 'key', 'step.completed', {})).rejects.toThrow(
      'needs a transaction',
    );
    const unknown = dataSource.transaction((manager) => appendEvent(manager, 'run-none', 'key', 'step.completed', {}));
    await expect(unknown).rejects.toThrow('no training run "run-none"');
  });

  it('of a status come with the status, and an older version changes nothing', async () => {
    const running = { runId, version: 2, status: 'running' as const, step: 1, steps: 9 };
    expect(await writeRunStatus(database.dataSource, running)).toBe(true);
    expect(await writeRunStatus(database.dataSource, running)).toBe(false);
    expect(await writeRunStatus(database.dataSource, { runId, version: 1, status: 'paused', step: 0, steps: 9 })).toBe(
      false,
    );
    const policy = { name: `${runId}@2`, sha256: 'ab' };
    await writeRunStatus(database.dataSource, { runId, version: 3, status: 'completed', step: 2, steps: 9, policy });
    const run = await database.dataSource.getRepository(TrainingRun).findOneByOrFail({ id: runId });
    expect(run).toMatchObject({
      status: 'completed',
      step: 2,
      steps: 9,
      statusVersion: 3,
      policySha256: 'ab',
      failure: null,
    });
    expect(run.startedAt).toBeInstanceOf(Date);
    expect(run.finishedAt).toBeInstanceOf(Date);
    expect((await events()).map(({ type }) => type)).toEqual(['run.running', 'run.completed']);
  });

  it('of a status that is written after a later step take the run back neither to its step nor to its policy', async () => {
    const { dataSource } = database;
    await dataSource
      .getRepository(TrainingRun)
      .update({ id: runId }, { status: 'running', step: 3, policyName: 'p@3', policySha256: 'c3' });
    const policy = { name: 'p@2', sha256: 'c2' };
    await writeRunStatus(dataSource, { runId, version: 4, status: 'pausing', step: 2, steps: 9, policy });
    const run = await dataSource.getRepository(TrainingRun).findOneByOrFail({ id: runId });
    expect(run).toMatchObject({ status: 'pausing', step: 3, policyName: 'p@3', policySha256: 'c3' });
    expect((await events())[0].data).toMatchObject({ step: 2, policy: 'p@2' });
  });
});
