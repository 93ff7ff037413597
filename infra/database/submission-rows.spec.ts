import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RowWriter } from '../../contracts/row-writer.js';
import { NEXT_STATUSES, type RunStatus } from '../../contracts/training-run.js';
import { NEXT_WORK_STATUSES } from '../../contracts/submitted-flow.js';
import { RunEvent, TrainingRun } from './entities/index.js';
import { writeRunStatus } from './run-status.js';
import { endRow, newStartToken, NotItsWorkflow, requeueRow, writeStatus } from './submission-rows.js';
import { untilSomebodyWaits } from './testing/lock-wait.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';
import { trainingRunRow } from './testing/training-run-row.js';

describe(writeStatus, () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const insert = async (overrides: Partial<TrainingRun> = {}): Promise<string> => {
    const row = trainingRunRow(overrides);
    await database.dataSource.getRepository(TrainingRun).insert(row);
    return row.id;
  };
  const read = (id: string) => database.dataSource.getRepository(TrainingRun).findOneByOrFail({ id });
  const write = (runId: string, version: number, status: RunStatus, writer?: RowWriter) =>
    writeRunStatus(database.dataSource, { runId, version, status, step: 0, steps: 2, writer });
  const told = async (runId: string) => {
    const events = await database.dataSource.getRepository(RunEvent).find({ where: { runId }, order: { sequence: 1 } });
    return events.map(({ type }) => type);
  };

  it('a pause under way that meets a cancellation at the row changes nothing, and tells nothing', async () => {
    const { dataSource } = database;
    const id = await insert();
    await write(id, 1, 'running');
    let pausing: Promise<boolean> = Promise.resolve(true);
    await dataSource.transaction(async (manager) => {
      await writeStatus(manager, TrainingRun, NEXT_STATUSES, { id, version: 2, status: 'cancelling' });
      pausing = write(id, 3, 'pausing');
      await untilSomebodyWaits(dataSource);
    });
    expect(await pausing).toBe(false);
    expect(await read(id)).toMatchObject({ status: 'cancelling', statusVersion: 2 });
    expect(await write(id, 4, 'cancelled')).toBe(true);
    expect(await write(id, 5, 'pausing')).toBe(false);
    expect(await told(id)).toEqual(['run.running', 'run.cancelled']);
  });

  it.each([
    ['of a training run', NEXT_STATUSES],
    ['of an agent flow or an evaluation', NEXT_WORK_STATUSES],
  ] as const)('no sequence of writes takes a status %s where it may not go', async (_, next) => {
    const statuses = Object.keys(next) as (keyof typeof next)[];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...statuses), { maxLength: 12 }), async (written) => {
        const { manager } = database.dataSource;
        const id = await insert();
        let before: keyof typeof next = 'queued';
        for (const [index, status] of written.entries()) {
          const follows: boolean = next[before].some((allowed) => allowed === status);
          const isSame = status === before && next[before].length > 0;
          const entry = { id, version: index + 1, status };
          expect(await writeStatus(manager, TrainingRun, next, entry)).toBe(follows || isSame);
          if (follows) before = status;
          expect((await read(id)).status).toBe(before);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('a row that was ended because its workflow seemed gone takes any status that it still writes', async () => {
    const id = await insert();
    await write(id, 1, 'running');
    const failure = { type: 'WorkflowLost', message: 'gone' };
    await endRow(database.dataSource.manager, TrainingRun, await read(id), { status: 'failed', failure });
    expect(await write(id, 2, 'paused')).toBe(true);
    expect(await read(id)).toMatchObject({ status: 'paused', failure: null, finishedAt: null });
  });

  describe('knows its own workflow', () => {
    const writer = (token: string | null): RowWriter => ({ token, execution: randomUUID() });

    it('by its token, and from its first status on by its first execution: what copies the token is refused', async () => {
      const token = newStartToken();
      const id = await insert({ workflow: token });
      const own = writer(token);
      await expect(write(id, 1, 'running', writer(null))).rejects.toThrow(NotItsWorkflow);
      await expect(write(id, 1, 'running', writer(newStartToken()))).rejects.toThrow(NotItsWorkflow);
      expect(await read(id)).toMatchObject({ status: 'queued', workflow: token });
      expect(await write(id, 1, 'running', own)).toBe(true);
      expect((await read(id)).workflow).toBe(own.execution);
      await expect(write(id, 2, 'completed', writer(token))).rejects.toThrow(NotItsWorkflow);
      expect(await write(id, 2, 'pausing', own)).toBe(true);
      expect(await write(id, 2, 'pausing', own)).toBe(false);
      expect(await told(id)).toEqual(['run.running', 'run.pausing']);
    });

    it('anew each time that it is queued', async () => {
      const id = await insert({ workflow: newStartToken() });
      const first = writer((await read(id)).workflow);
      await write(id, 1, 'running', first);
      expect(await requeueRow(database.dataSource.manager, TrainingRun, await read(id))).toBe(true);
      await expect(write(id, 3, 'running', first)).rejects.toThrow(NotItsWorkflow);
      expect(await write(id, 3, 'running', writer((await read(id)).workflow))).toBe(true);
    });

    it('takes calls of older versions, which say nothing of their workflow', async () => {
      const token = newStartToken();
      const id = await insert({ workflow: token });
      expect(await write(id, 1, 'running')).toBe(true);
      expect((await read(id)).workflow).toBe(token);
    });

    it('as the next that writes it, if an older version made the row', async () => {
      const id = await insert();
      const own = writer(null);
      expect(await write(id, 1, 'running', own)).toBe(true);
      await expect(write(id, 2, 'paused', writer(null))).rejects.toThrow(NotItsWorkflow);
      expect(await write(id, 2, 'paused', own)).toBe(true);
    });
  });
});
