import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  Batch,
  HeldOutEvaluation,
  Rollout,
  RunEvent,
  TrainingRun,
  TrainingStep,
} from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { RUN_EVENTS } from '../../contracts/events.js';
import type { Outcome } from '../../contracts/flow.js';
import type { Grading } from '../../contracts/scoring.js';
import type { StepWarning } from '../../contracts/step-answers.js';
import type { EvaluationSummary } from '../../contracts/training-run.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import { createTools } from '../tools/index.js';
import { defineTool } from '../tools/tool.js';
import { ItemStore } from '../datasets/items/item-store.js';
import { Datasets } from '../datasets/registry.js';
import { createRunActivities } from './run.activities.js';

const searched = defineTool({
  name: 'passages',
  title: 'Passages',
  description: 'finds passages',
  inputSchema: z.strictObject({ query: z.string() }),
  identity: 'abc/5',
  timeoutMs: 1_000,
  run: async () => ({ result: '' }),
});
const tools = createTools(undefined, { tools: [searched], sources: [] });

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
    await activities.setRunStatus({ runId, version: 1, status: 'running', step: 0, steps: 9 });
    await activities.setRunStatus({ runId, version: 3, status: 'paused', step: 1, steps: 9, policy: policy(1) });
    await activities.setRunStatus({ runId, version: 3, status: 'paused', step: 1, steps: 9, policy: policy(1) });
    await activities.setRunStatus({ runId, version: 2, status: 'running', step: 0, steps: 9 });
    expect(await runRow()).toMatchObject({ status: 'paused', step: 1, steps: 9 });
    expect((await events()).map(({ eventKey, type }) => [eventKey, type])).toEqual([
      ['status/1', 'run.running'],
      ['status/3', 'run.paused'],
    ]);
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

  it('tell that a step was recovered and what that cost, once and before the step; from memory nothing is told', async () => {
    const { dataSource } = database;
    const batch = { runId, revision: 0, uri: 'file:///b', sha256: 'b', samples: 1, bytes: 1, policySha256: 'p' };
    const at = new Date(Date.now() - 100_000);
    await dataSource.getRepository(Batch).insert([1, 2].map((step) => ({ ...batch, step, createdAt: at })));
    const record = (step: number, recoveredFrom: 'memory' | 'replay') =>
      activities.recordStep({ runId, step, policy: policy(step), metrics: { seconds: 40 }, recoveredFrom });
    await record(1, 'memory');
    await record(2, 'replay');
    await record(2, 'replay');
    const told = await events();
    expect(told.map(({ type }) => type)).toEqual(['step.completed', 'run.recovered', 'step.completed']);
    const { seconds_lost: lost, ...data } = RUN_EVENTS['run.recovered'].parse(told[1].data);
    expect(data).toEqual({ step: 2, from: 'replay' });
    expect(lost).toBeGreaterThanOrEqual(60);
  });

  const graded = (step: number, index: number, grading: Grading, outcome: Outcome = 'answered') => ({
    flowId: `${runId}/${step}/0/${index}`,
    submissionId: runId,
    purpose: 'train' as const,
    step,
    groupIndex: index % 4,
    rolloutIndex: index,
    queryId: `q${step}-${index % 4}`,
    family: 'f',
    question: 'Which?',
    outcome,
    reward: outcome === 'answered' ? (grading.rules === 'right' ? 1 : 0) : null,
    answer: `answer ${index}`,
    grading,
    turns: 1,
    tools: [],
    memory: [],
  });

  it('record what the answers of a step were like: from the rows, among its metrics, with examples', async () => {
    const rollouts = database.dataSource.getRepository(Rollout);
    const undecided = { rules: 'undecided', rule: 'text' } as const;
    await rollouts.insert([
      graded(1, 0, { rules: 'right', rule: 'text' }),
      graded(1, 1, { rules: 'right', rule: 'text', lenient: true }),
      graded(1, 2, undecided),
      graded(1, 3, undecided, 'undecided'),
      graded(1, 4, undecided, 'infrastructure'),
      { ...graded(1, 5, undecided), purpose: 'evaluation' },
      { ...graded(1, 6, { rules: 'wrong', rule: 'text' }, 'context_filled'), answer: null },
    ]);
    await activities.recordStep({ runId, step: 1, policy: policy(1), metrics: { loss: 1 } });
    await rollouts.delete({ submissionId: runId });
    await activities.recordStep({ runId, step: 1, policy: policy(1), metrics: { loss: 1 } });
    const row = await database.dataSource.getRepository(TrainingStep).findOneByOrFail({ runId, step: 1 });
    expect(row.metrics).toEqual({
      loss: 1,
      undecided_share: 0.4,
      lenient_share: 0.5,
      repeated_share: 0,
      answer_length: 8,
      answer_forms: { empty: 0.2, bare: 0.8 },
    });
    const examples = [2, 3].map((index) => ({ rollout: `${runId}/1/0/${index}`, answer: `answer ${index}` }));
    expect(row.answers).toMatchObject({ undecided: { answers: 2, of: 5, examples }, warnings: [{ examples }] });
    const told = (await events()).map(({ eventKey, type, data }) => [eventKey, type, data]);
    expect(told).toEqual([
      ['step/1', 'step.completed', expect.objectContaining({ metrics: row.metrics })],
      ['step/1/warnings', 'step.warned', { step: 1, warnings: row.answers?.warnings }],
    ]);
  });

  it('tell a warning once, and again only after a step without it; what drifts is compared with the first steps', async () => {
    const kinds = ['undecided', 'undecided', 'right', 'undecided', ...Array<string>(8).fill('right')];
    for (const [index, rules] of kinds.entries()) {
      const step = index + 1;
      const grading = { rules: rules as Grading['rules'], rule: 'text', ...(step > 6 && { lenient: true as const }) };
      await database.dataSource.getRepository(Rollout).insert([0, 1, 2, 3].map((i) => graded(step, i, grading)));
      await activities.recordStep({ runId, step, policy: policy(step), metrics: {} });
    }
    const warned = (await events()).filter(({ type }) => type === 'step.warned');
    const summary = warned.map(({ data }) => [
      data['step'],
      (data['warnings'] as StepWarning[]).map(({ kind }) => kind),
    ]);
    expect(summary).toEqual([
      [1, ['undecided']],
      [4, ['undecided']],
      [10, ['lenient']],
    ]);
    const last = await database.dataSource.getRepository(TrainingStep).findOneByOrFail({ runId, step: 12 });
    expect(last.answers?.warnings.map(({ kind }) => kind)).toEqual(['lenient']);
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
    const rows = await database.dataSource.getRepository(HeldOutEvaluation).findBy({ runId });
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
    expect(identity).not.toHaveProperty('tool_data');
    const searching = runConfigSchema.parse({ ...config, flow: { tools: ['calculator', 'passages'] } });
    expect(await activities.resolveIdentity({ config: searching })).toHaveProperty('tool_data', '{"passages":"abc/5"}');
    const wrong = { ...config, dataset: { name: 'nowhere', seed: 7 } };
    await expect(activities.resolveIdentity({ config: wrong })).rejects.toThrow(
      expect.objectContaining({ type: 'BadConfiguration' }),
    );
  });
});
