import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Evaluation, RunEvent, TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import type { EvaluationSummary } from '../../workflows/contracts/agent-activities.js';
import { runConfigSchema } from '../../workflows/contracts/run-config.js';
import { createTools } from '../tools/index.js';
import { ItemStore } from '../datasets/items/item-store.js';
import { Datasets } from '../datasets/registry.js';
import { createRunActivities } from './run.activities.js';

const tools = createTools();

describe('run activities', () => {
  let database: TestDatabase;
  let activities: ReturnType<typeof createRunActivities>;
  let runId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    activities = createRunActivities({
      dataSource: database.dataSource,
      tools,
      datasets: new Datasets(new ItemStore({ atlas: { kind: 'made' } })),
    });
  });
  afterAll(async () => database.drop());
  beforeEach(async () => {
    const row = trainingRunRow();
    runId = row.id;
    await database.dataSource.getRepository(TrainingRun).insert(row);
  });

  const policy = (step: number) => ({ name: `${runId}@${step}`, sha256: String(step).repeat(64) });
  const events = () =>
    database.dataSource.getRepository(RunEvent).find({ where: { runId }, order: { sequence: 'ASC' } });
  const runRow = () => database.dataSource.getRepository(TrainingRun).findOneByOrFail({ id: runId });

  it('move the status forward only, with an event for each change', async () => {
    await activities.setRunStatus({ runId, version: 2, status: 'paused', step: 1, steps: 9, policy: policy(1) });
    await activities.setRunStatus({ runId, version: 2, status: 'paused', step: 1, steps: 9, policy: policy(1) });
    await activities.setRunStatus({ runId, version: 1, status: 'running', step: 0, steps: 9 });
    expect(await runRow()).toMatchObject({ status: 'paused', step: 1, steps: 9 });
    expect((await events()).map(({ eventKey, type }) => [eventKey, type])).toEqual([['status/2', 'run.paused']]);
  });

  it('record a step once and move the run to it, never back', async () => {
    const record = (step: number, loss: number) =>
      activities.recordStep({ runId, step, policy: policy(step), metrics: { loss } });
    await record(1, 0.5);
    await record(2, 0.25);
    await record(1, 99);
    expect(await runRow()).toMatchObject({ step: 2, policyName: `${runId}@2` });
    const steps = await database.dataSource
      .getRepository(TrainingStep)
      .find({ where: { runId }, order: { step: 'ASC' } });
    expect(steps.map(({ metrics }) => metrics)).toEqual([{ loss: 0.5 }, { loss: 0.25 }]);
    expect((await events()).map(({ eventKey, type }) => [eventKey, type])).toEqual([
      ['step/1', 'step.completed'],
      ['step/2', 'step.completed'],
    ]);
    expect((await events())[0].data).toMatchObject({ step: 1, metrics: { loss: 0.5 } });
  });

  it('record an allowance once, as an event that says what changed', async () => {
    const allowance = { runId, version: 3, step: 2, parts: ['prompts' as const] };
    const change = { was: { planner_prompt: 'old' }, is: { planner_prompt: 'new' } };
    await activities.recordAllowance({ ...allowance, ...change });
    await activities.recordAllowance({ ...allowance, ...change });
    expect(await events()).toMatchObject([
      {
        eventKey: 'identity/3/prompts',
        type: 'identity.allowed',
        data: { parts: ['prompts'], from_step: 2, ...change },
      },
    ]);
  });

  it('record an evaluation once', async () => {
    const summary: EvaluationSummary = {
      id: `${runId}/eval/0/policy`,
      runId,
      step: 0,
      planner: 'policy',
      policy: policy(0),
      questions: 3,
      correct: 1,
      failed: 0,
      accuracy: 1 / 3,
      interval: [0.06, 0.79],
      byFamily: { lookup: { questions: 3, correct: 1, accuracy: 1 / 3 } },
      meanTurns: 1.5,
      toolMix: { lookup: 1 },
    };
    await activities.recordEvaluation(summary);
    await activities.recordEvaluation({ ...summary, correct: 3 });
    const rows = await database.dataSource.getRepository(Evaluation).findBy({ runId });
    expect(rows).toMatchObject([{ id: summary.id, correct: 1, intervalLow: 0.06, intervalHigh: 0.79 }]);
    expect((await events()).map(({ eventKey, type }) => [eventKey, type])).toEqual([
      [summary.id, 'evaluation.completed'],
    ]);
  });

  it('name the identity of a configuration, the same for what a resumed run may change (I8)', async () => {
    const config = runConfigSchema.parse({ model: 'tiny-random', steps: 2 });
    const identity = await activities.resolveIdentity({ config });
    expect(await activities.resolveIdentity({ config: { ...config, steps: 9, name: 'other' } })).toEqual(identity);
    for (const change of [{ seed: 1 }, { model: 'other' }, { dataset: { name: 'atlas', seed: 8 } }]) {
      expect(await activities.resolveIdentity({ config: { ...config, ...change } })).not.toEqual(identity);
    }
    expect(identity).not.toHaveProperty('module_prompts');
    const bound = (prompt: string) =>
      runConfigSchema.parse({ ...config, flow: { verifier: { engine: 'llm', model: 'large', prompt } } });
    const [full, compact] = await Promise.all(
      ['full', 'compact'].map((prompt) => activities.resolveIdentity({ config: bound(prompt) })),
    );
    expect(full).toEqual({ ...identity, module_prompts: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(compact.module_prompts).not.toBe(full.module_prompts);
    const wrong = { ...config, dataset: { name: 'nowhere', seed: 7 } };
    await expect(activities.resolveIdentity({ config: wrong })).rejects.toThrow(
      expect.objectContaining({ type: 'BadConfiguration' }),
    );
  });
});
