import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RUN_EVENTS } from '../../contracts/events.js';
import type { RecordRolloutInput } from '../../contracts/agent-activities.js';
import { Rollout, RunEvent, TrainingRun } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { recordRollout } from './record-rollout.js';

describe(recordRollout, () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());

  it('tells once of a rollout that was excluded from its step, and of no scored one (I2)', async () => {
    const { dataSource } = database;
    const { id: runId } = await dataSource.getRepository(TrainingRun).save(trainingRunRow());
    const record = (rollout: number, outcome: string) =>
      recordRollout(dataSource, {
        flow: { runId, flowId: `${runId}/1/0/${rollout}`, purpose: 'train', step: 1, group: 0, rollout },
        query: { id: 'q', family: 'f', question: 'Why?' },
        result: { outcome, turns: 0, tools: [] },
        memory: [],
      } as unknown as RecordRolloutInput);
    await record(2, 'infrastructure');
    await record(2, 'infrastructure');
    await record(3, 'answered');
    expect(await dataSource.getRepository(Rollout).countBy({ submissionId: runId })).toBe(2);
    const events = await dataSource.getRepository(RunEvent).findBy({ runId });
    const data = { flow_id: `${runId}/1/0/2`, step: 1, group: 0, rollout: 2, outcome: 'infrastructure' };
    expect(events).toMatchObject([{ type: 'rollout.excluded', data }]);
    expect(RUN_EVENTS['rollout.excluded'].parse(data)).toEqual(data);
  });
});
