import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Worker } from '../../infra/database/entities/index.js';
import { BreakableDatabase } from '../../infra/database/testing/breakable-database.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { LOST_AFTER_MS } from '../../infra/database/workers.js';
import { LostWorkersService } from './lost-workers.service.js';

const LOOK_MS = 5_000;
/** The looks that one watch needs before it may say that somebody was silent. */
const LOOKS = LOST_AFTER_MS / LOOK_MS;

describe('who watches the workers', () => {
  let database: TestDatabase;
  let broken: BreakableDatabase;
  let watch: LostWorkersService;
  let now: number;

  beforeAll(async () => {
    database = await createTestDatabase();
    broken = await BreakableDatabase.open(database.url);
  });
  afterAll(async () => {
    await broken.close();
    await database.drop();
  });
  beforeEach(async () => {
    watch = new LostWorkersService(broken.dataSource);
    now = 0;
    await database.dataSource.query(`INSERT INTO workers (id, kind, identity, seen_at)
      VALUES ('agent/1', 'agent', '7@here', now() - interval '1 hour') ON CONFLICT DO NOTHING`);
  });

  const look = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await watch.lookAt(now);
      now += LOOK_MS;
    }
  };
  const isThere = () => database.dataSource.getRepository(Worker).existsBy({ id: 'agent/1' });

  it('calls none lost before it has watched for as long as silence must last', async () => {
    await look(LOOKS);
    expect(await isThere()).toBe(true);
    await look(1);
    expect(await isThere()).toBe(false);
  });

  it.each([
    ['the machine has slept', 3_600_000],
    ['its clock was put back', -3_600_000],
  ])('begins anew after %s', async (_what, leap) => {
    await look(LOOKS);
    now += leap;
    await look(LOOKS);
    expect(await isThere()).toBe(true);
    await look(1);
    expect(await isThere()).toBe(false);
  });

  it('begins anew after an outage of the database, in which no worker could say anything', async () => {
    await look(LOOKS);
    await broken.break();
    await look(1);
    await broken.mend();
    await look(LOOKS);
    expect(await isThere()).toBe(true);
    await look(1);
    expect(await isThere()).toBe(false);
  });
});
