import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PROJECT_EVENTS } from '../../contracts/events.js';
import { ProjectEvent, RunEvent, TrainingRun, Worker } from './entities/index.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';
import { trainingRunRow } from './testing/training-run-row.js';
import { LOST_AFTER_MS, tellOfLostWorkers, workerEnds, workerSeen } from './workers.js';

const AGENT = { id: 'agent/1', kind: 'agent', identity: '7@here' } as const;
const TRAINER = { id: 'trainer/2', kind: 'trainer', identity: '8@there' } as const;

describe('workers', () => {
  let database: TestDatabase;
  let underWay: string;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());
  beforeEach(async () => {
    for (const entity of [Worker, TrainingRun, RunEvent, ProjectEvent])
      await database.dataSource.getRepository(entity).clear();
    underWay = await insertRun({ status: 'running' });
  });

  const insertRun = async (overrides: Partial<TrainingRun>): Promise<string> => {
    const row = trainingRunRow(overrides);
    await database.dataSource.getRepository(TrainingRun).insert(row);
    return row.id;
  };
  const silentFor = (id: string, ms: number) =>
    database.dataSource.query("UPDATE workers SET seen_at = now() - $2 * interval '1 ms' WHERE id = $1", [id, ms]);
  const losses = async (runId: string) =>
    (await database.dataSource.getRepository(RunEvent).findBy({ runId })).map(({ type, data }) => ({
      type,
      ...PROJECT_EVENTS['worker.lost'].parse(data),
    }));
  const tell = () => tellOfLostWorkers(database.dataSource);

  it('that fall silent are told to every run that is under way, and to no other', async () => {
    const others = [
      await insertRun({ status: 'queued' }),
      await insertRun({ status: 'paused' }),
      await insertRun({ status: 'completed', finishedAt: new Date() }),
    ];
    await workerSeen(database.dataSource, AGENT);
    await workerSeen(database.dataSource, TRAINER);
    await silentFor(TRAINER.id, LOST_AFTER_MS + 1_000);
    expect(await tell()).toEqual([TRAINER.id]);
    expect(await losses(underWay)).toEqual([
      expect.objectContaining({ type: 'worker.lost', worker: TRAINER.id, kind: 'trainer', identity: '8@there' }),
    ]);
    for (const run of others) expect(await losses(run)).toEqual([]);
    const [told] = await database.dataSource.getRepository(ProjectEvent).findBy({ type: 'worker.lost' });
    expect(told).toMatchObject({ project: 'default', subject: underWay });
  });

  it('are told of once, whoever looks, at the same time or later', async () => {
    await workerSeen(database.dataSource, AGENT);
    await silentFor(AGENT.id, LOST_AFTER_MS + 1_000);
    const found = await Promise.all([tell(), tell(), tell()]);
    expect(found.flat()).toEqual([AGENT.id]);
    expect(await tell()).toEqual([]);
    expect(await losses(underWay)).toHaveLength(1);
  });

  it('that were lost and go on are there again, and may be lost again', async () => {
    for (let life = 0; life < 2; life++) {
      await workerSeen(database.dataSource, AGENT);
      expect(await tell()).toEqual([]);
      await silentFor(AGENT.id, LOST_AFTER_MS + 1_000 * (life + 1));
      expect(await tell()).toEqual([AGENT.id]);
    }
    expect(await losses(underWay)).toHaveLength(2);
  });

  it('that end in order, or have just been there, are not lost', async () => {
    await workerSeen(database.dataSource, AGENT);
    await silentFor(AGENT.id, LOST_AFTER_MS + 1_000);
    await workerEnds(database.dataSource, AGENT.id);
    await workerSeen(database.dataSource, TRAINER);
    await silentFor(TRAINER.id, LOST_AFTER_MS - 5_000);
    await workerSeen(database.dataSource, TRAINER);
    expect(await tell()).toEqual([]);
    expect(await losses(underWay)).toEqual([]);
  });
});
