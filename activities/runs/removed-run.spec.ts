import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FreezeBatchInput } from '../../contracts/agent-activities.js';
import type { EvaluationSummary } from '../../contracts/training-run.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import type { RolloutTraining } from '../../contracts/training-config.js';
import { openArtifactStore } from '../../infra/artifacts/open-artifact-store.js';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { Removal } from '../../infra/database/entities/index.js';
import { isOfRemoved } from '../../infra/database/removed.js';
import { writeRunStatus } from '../../infra/database/run-status.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { beginCall } from '../engines/budget.js';
import { KeptReplies } from '../engines/kept-replies.js';
import { freezeBatch } from '../trajectories/freeze-batch.js';
import { recordRollout } from '../trajectories/record-rollout.js';
import { ToolCallNotes } from '../trajectories/tool-call-notes.js';
import { TurnStore } from '../trajectories/turn-store.js';
import { recordAllowance } from './record-allowance.js';
import { recordEvaluation } from './record-evaluation.js';
import { recordStep } from './record-step.js';

const policy = { name: 'run-1@2', sha256: 'a'.repeat(64) };
const training = runConfigSchema.parse({ model: 'tiny-random', steps: 1 }).training as RolloutTraining;

/** An activity that goes on after its run was deleted. */
describe('of a run that was deleted', () => {
  let database: TestDatabase;
  let root: string;
  let artifacts: ArtifactStore;
  let runId: string;
  const { signal } = new AbortController();

  beforeAll(async () => {
    database = await createTestDatabase();
    root = await mkdtemp(join(tmpdir(), 'agentflow-removed-'));
    artifacts = openArtifactStore(pathToFileURL(root).href);
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
    await database.drop();
  });
  beforeEach(async () => {
    runId = `run-${randomUUID()}`;
    await database.dataSource.getRepository(Removal).insert({ id: runId, project: 'default' });
  });

  const flow = (flowId = `${runId}/1/0/0`) => ({
    flowId,
    runId,
    runSeed: 1,
    purpose: 'train' as const,
    step: 1,
    group: 0,
    rollout: 0,
  });
  const key = () => ({ flowId: `${runId}/1/0/0`, turn: 1, module: 'executor' as const });
  const batch = (): FreezeBatchInput => ({
    runId,
    step: 1,
    revision: 0,
    decision: { skipGroups: [], skipStep: false },
    responseLimit: 20,
    draws: 0,
    policy,
    model: 'tiny-random',
    seed: 11,
    training,
    temperature: 0.7,
    groups: [],
    identity: { model: 'tiny-random' },
  });
  const evaluation = (): EvaluationSummary => ({
    id: `${runId}/eval/1/policy`,
    runId,
    step: 1,
    planner: 'policy',
    policy,
    questions: 1,
    correct: 1,
    failed: 0,
    accuracy: 1,
    interval: [0, 1],
    byFamily: {},
    meanTurns: 1,
    toolMix: {},
  });
  const query = { id: 'q', dataset: { name: 'atlas', seed: 7 }, family: 'f', question: 'Why?' };
  const result = () => ({ flowId: `${runId}/1/0/0`, outcome: 'answered' as const, reward: 1, turns: 0, tools: [] });

  const writers: [name: string, write: () => Promise<unknown>][] = [
    ['a turn', () => new TurnStore(database.dataSource).once(key(), async () => ({ output: {} }), signal)],
    ['a reply', () => new KeptReplies(database.dataSource, key(), signal).once({}, async () => ({ reply: 1 }))],
    ['a call of a tool', () => new ToolCallNotes(database.dataSource).of({ ...key(), tool: 't' }, signal).begin()],
    ['a call of a model', () => beginCall(database.dataSource, runId)],
    [
      'a rollout',
      () => recordRollout(database.dataSource, { flow: flow(), query, policy, result: result(), memory: [] }),
    ],
    ['a batch', () => freezeBatch({ dataSource: database.dataSource, artifacts }, batch())],
    ['a step', () => recordStep(database.dataSource, { runId, step: 1, policy, metrics: {} })],
    ['an evaluation', () => recordEvaluation(database.dataSource, evaluation())],
    [
      'an allowance',
      () => recordAllowance(database.dataSource, { runId, version: 1, step: 1, parts: [], was: {}, is: {} }),
    ],
  ];

  it.each(writers)('%s is not written, and no file stays', async (_, write) => {
    const error: unknown = await write().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: expect.stringContaining(runId) });
    expect(isOfRemoved(error)).toBe(true);
    for (const { tableName, target } of database.dataSource.entityMetadatas) {
      if (target === Removal) continue;
      const rows: unknown[] = await database.dataSource.query(`SELECT 1 FROM ${tableName} AS t WHERE t::text LIKE $1`, [
        `%${runId}%`,
      ]);
      expect([tableName, rows.length]).toEqual([tableName, 0]);
    }
    expect((await readdir(root, { recursive: true })).filter((path) => path.includes(runId))).toEqual([]);
  });

  it('a status changes nothing', async () => {
    const running = { runId, version: 2, status: 'running' as const, step: 1, steps: 9 };
    expect(await writeRunStatus(database.dataSource, running)).toBe(false);
  });
});
