import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ModelCall } from '../../../contracts/model-call.js';
import { ModelReply, TrainingRun, TrainingStep, Turn, UsageEntry } from '../entities/index.js';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.js';
import { trainingRunRow } from '../testing/training-run-row.js';
import { Usage1796158800000 } from './1796158800000-usage.js';

const SHA = 'a'.repeat(64);
const AT = new Date('2026-01-31T23:00:00Z');

describe(Usage1796158800000, () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => database.drop());

  it('counts what was recorded before it, once', async () => {
    const { dataSource } = database;
    const run = trainingRunRow({ project: 'team' });
    const flowId = `${run.id}/1/0/0`;
    const place = { flowId, turn: 1, createdAt: AT };
    const call = { engine: 'llm', model: 'large', inputTokens: 4, outputTokens: 2, cost: 0.5 } as ModelCall;
    const runner = dataSource.createQueryRunner();
    try {
      const migration = new Usage1796158800000();
      await migration.down(runner);
      await dataSource.getRepository(TrainingRun).insert(run);
      await dataSource.getRepository(Turn).insert([
        {
          ...place,
          module: 'planner',
          output: { tool: 'lookup' },
          policyName: `${run.id}@0`,
          promptTokenIds: Buffer.alloc(40),
          responseTokenIds: Buffer.alloc(8),
        },
        { ...place, module: 'executor', output: {}, calls: [call, { ...call, cached: true }] },
        // What a row that nobody owns has used is nobody's.
        { ...place, flowId: 'gone/1/0/0', module: 'executor', output: {} },
      ]);
      const reply = { requestSha256: SHA, occurrence: 0, attempt: 'a', reply: { inputTokens: 4, outputTokens: 2 } };
      // That of the call above, and one whose turn is not written yet.
      await dataSource.getRepository(ModelReply).insert({ ...place, ...reply, module: 'executor' });
      await dataSource.getRepository(ModelReply).insert({ ...place, ...reply, module: 'verifier' });
      await dataSource
        .getRepository(TrainingStep)
        .insert({ runId: run.id, step: 1, policySha256: SHA, metrics: { seconds: 2.5 }, createdAt: AT });
      await migration.up(runner);
    } finally {
      await runner.release();
    }
    // The turn that comes now does not count its reply again.
    await dataSource.getRepository(Turn).insert({ ...place, module: 'verifier', output: {}, calls: [call] });
    const used = await dataSource.getRepository(UsageEntry).find({ order: { id: 'ASC' } });
    expect(
      used.every(({ project, submission, at }) => project === 'team' && submission === run.id && +at === +AT),
    ).toBe(true);
    expect(
      used.map(({ kind, name, promptTokens, completionTokens, cost, seconds }) => {
        return [kind, name, promptTokens, completionTokens, cost, seconds];
      }),
    ).toEqual([
      ['planner', run.id, 10, 2, null, null],
      ['tool', 'lookup', null, null, null, null],
      ['language_model', 'large', 4, 2, 0.5, null],
      ['language_model', null, 4, 2, null, null],
      ['trainer', null, null, null, null, 2.5],
    ]);
  });
});
