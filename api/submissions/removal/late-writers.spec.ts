import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { Removal, TrainingRun, Turn } from '../../../infra/database/entities/index.js';
import { isOfRemoved } from '../../../infra/database/removed.js';
import { untilSomebodyWaits } from '../../../infra/database/testing/lock-wait.js';
import { TestApi } from '../../testing/test-api.js';
import { RemovalsService } from './removals.service.js';
import { ownedTables } from './rows-of.js';
import { addEndedRun, addRows, everything } from './testing/owned.js';

/** What goes on writing of something that was deleted: an attempt that was given up and is alive. */
describe('a late writer', () => {
  let api: TestApi;
  let dataSource: DataSource;
  let id: string;

  beforeAll(async () => {
    api = await TestApi.start();
    dataSource = api.database.dataSource;
  });
  afterAll(async () => api.stop());
  beforeEach(async () => {
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
    id = await addEndedRun(dataSource, api.artifacts);
  });

  const remove = () => api.request('delete', `/v1/training_runs/${id}`).then(({ status }) => status);
  const settled = () => api.app.get(RemovalsService).proceed();
  const turn = (n: number) => ({ flowId: `${id}/9/0/${n}`, turn: 1, module: 'planner', output: {} });
  const left = async () =>
    (await everything(dataSource, api.artifacts)).filter((row) => row.includes(id)).map((row) => row.slice(0, 40));

  it('is refused by every table that can hold rows of it', async () => {
    expect(await remove()).toBe(202);
    await settled();
    const tables = new Set(ownedTables(dataSource).map(({ name }) => name));
    for (const entity of dataSource.entityMetadatas.filter(({ tableName }) => tables.has(tableName))) {
      const error: unknown = await addRows(dataSource, entity, id).catch((reason: unknown) => reason);
      expect([entity.tableName, isOfRemoved(error)]).toEqual([entity.tableName, true]);
      expect((error as Error).message).toBe(`${id} was deleted: nothing is written of it any more`);
    }
    expect(await left()).toEqual([]);
  });

  it.each([
    ['an agent flow', 'flow-gone'],
    ['an evaluation', 'eval-gone'],
  ])('of %s is refused too; of one that is there it is not', async (_, gone) => {
    await dataSource.getRepository(Removal).insert({ id: gone, project: 'default' });
    const write = (flowId: string) => dataSource.getRepository(Turn).insert({ ...turn(1), flowId });
    for (const flowId of [gone, `${gone}/0/0/1`]) {
      expect(isOfRemoved(await write(flowId).catch((reason: unknown) => reason))).toBe(true);
    }
    await write(`${gone}-not/0/0/1`);
  });

  it('that has begun is waited for, and what it wrote goes with the rest', async () => {
    const removing = await dataSource.transaction(async (manager) => {
      await manager.insert(Turn, turn(1));
      const request = remove();
      await untilSomebodyWaits(dataSource);
      return { request };
    });
    expect(await removing.request).toBe(202);
    await settled();
    expect(await left()).toEqual([]);
  });

  it('that comes while the run is being deleted waits, and is refused', async () => {
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.insert(Removal, { id, project: 'default' });
    await runner.manager.delete(TrainingRun, { id });
    const writing = dataSource
      .getRepository(Turn)
      .insert(turn(1))
      .catch((reason: unknown) => reason);
    await untilSomebodyWaits(dataSource);
    await runner.commitTransaction();
    await runner.release();
    expect(isOfRemoved(await writing)).toBe(true);
    await settled();
  });

  it('property: however many write at whatever moment of a deletion, all are refused and nothing is left', async () => {
    /** Writes one turn after the other. @returns why it ended */
    const writing = async (place: number): Promise<unknown> => {
      for (let n = 0; n < 2_000; n++) {
        const refused = await dataSource
          .getRepository(Turn)
          .insert(turn(10_000 * place + n))
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        if (refused !== undefined) return refused;
      }
      return undefined;
    };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.nat(30), async (writers, pause) => {
        id = await addEndedRun(dataSource, api.artifacts);
        const ends = Array.from({ length: writers }, (_, place) => writing(place));
        await new Promise((resolve) => setTimeout(resolve, pause));
        expect(await remove()).toBe(202);
        for (const end of await Promise.all(ends)) expect(isOfRemoved(end)).toBe(true);
        await settled();
        expect(await left()).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });
});
