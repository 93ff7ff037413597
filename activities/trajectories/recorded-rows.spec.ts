import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { tableFromIPC } from 'apache-arrow';
import { openArtifactStore } from '../../infra/artifacts/open-artifact-store.js';
import { Policy, Rollout, TrainingRun } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import type { FreezeRecordedBatchInput } from '../../contracts/agent-activities.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import type { RecordedTraining } from '../../contracts/training-config.js';
import { resolvePolicy } from '../runs/resolve-policy.js';
import { trajectoriesDigest } from './recorded-rows.js';
import { createTrajectoryActivities } from './trajectory.activities.js';
import { TurnStore } from './turn-store.js';

const policy = { name: 'teacher@2', sha256: 'a'.repeat(64) };

describe('freezeRecordedBatch', () => {
  let database: TestDatabase;
  let root: string;
  let activities: ReturnType<typeof createTrajectoryActivities>;
  let input: FreezeRecordedBatchInput;
  let run = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    root = await mkdtemp(join(tmpdir(), 'agentflow-recorded-'));
    const artifacts = openArtifactStore(pathToFileURL(root).href);
    activities = createTrajectoryActivities({ dataSource: database.dataSource, artifacts });
  });
  afterAll(async () => {
    await rm(root, { recursive: true, force: true });
    await database.drop();
  });

  beforeEach(async () => {
    run += 1;
    const { dataSource } = database;
    await dataSource.getRepository(TrainingRun).save(trainingRunRow({ id: teacher() }));
    // Steps 1 to 4 with a right rollout of two turns and a wrong one each.
    for (let step = 1; step <= 4; step += 1) for (const reward of [1, 0]) await record(step, reward);
    const { training } = runConfigSchema.parse({
      model: 'tiny-random',
      steps: 1,
      training: { objective: 'sft', samples_per_step: 3, trajectories: { run: teacher(), from_step: 1, to_step: 3 } },
    });
    input = {
      runId: `student-${run}`,
      step: 1,
      revision: 0,
      policy,
      model: 'tiny-random',
      seed: 5,
      decision: { skipGroups: [], skipStep: false },
      identity: { trajectories: await trajectoriesDigest(dataSource, training as RecordedTraining, 'tiny-random') },
      training: training as RecordedTraining,
    };
  });

  const teacher = () => `teacher-${run}`;

  async function record(step: number, reward: number): Promise<void> {
    const flowId = `${teacher()}/${step}/0/${reward}`;
    const store = new TurnStore(database.dataSource);
    for (const turn of [1, 2]) {
      const produce = () =>
        Promise.resolve({
          output: { text: 'x', finishReason: 'stop', sampledTokens: 1 },
          sample: {
            messages: [],
            promptTokenIds: [step, reward, turn],
            responseTokenIds: [100 * step + turn],
            logprobs: [-0.5],
            policyName: policy.name,
            policySha256: policy.sha256,
            temperature: 1,
            seed: '1',
            template: 't',
          },
        });
      await store.once({ flowId, turn, module: 'planner' }, produce, new AbortController().signal);
    }
    const flow = { flowId, runId: teacher(), runSeed: 1, purpose: 'train' as const, step, group: 0, rollout: reward };
    await activities.recordRollout({
      flow,
      query: { id: 'q', dataset: { name: 'atlas', seed: 7 }, family: 'lookup', question: 'What?' },
      policy,
      result: { flowId, outcome: 'answered', answer: '1', reward, turns: 2, tools: [] },
      memory: [],
    });
  }

  /** The responses of a step's batch: 100 * step + turn, only of rollouts that were right. */
  async function responses(step: number): Promise<number[]> {
    const { uri } = await activities.freezeRecordedBatch({ ...input, step });
    const table = tableFromIPC(await readFile(fileURLToPath(uri)));
    return table
      .toArray()
      .map((row: { response_token_ids: { get(index: number): number } }) => row.response_token_ids.get(0));
  }

  it('deals every turn of the successful rollouts once a pass, in an order of the seed', async () => {
    const pass = [...(await responses(1)), ...(await responses(2))];
    expect(pass.toSorted((a, b) => a - b)).toEqual([101, 102, 201, 202, 301, 302]);
    const next = [...(await responses(3)), ...(await responses(4))];
    expect(next.toSorted((a, b) => a - b)).toEqual([101, 102, 201, 202, 301, 302]);
    expect(next).not.toEqual(pass);
  });

  it('is a pure function of seed and step, and written once (I4)', async () => {
    const first = await activities.freezeRecordedBatch(input);
    expect(await activities.freezeRecordedBatch(input)).toEqual(first);
    const again = await activities.freezeRecordedBatch({ ...input, runId: `${input.runId}-again` });
    const rows = async (uri: string) => tableFromIPC(await readFile(fileURLToPath(uri))).toString();
    expect(await rows(again.uri)).toBe(await rows(first.uri));
  });

  it('refuses trajectories that are not those that the run began with (I8)', async () => {
    await database.dataSource.getRepository(Rollout).delete({ flowId: `${teacher()}/2/0/1` });
    await expect(activities.freezeRecordedBatch(input)).rejects.toMatchObject({ type: 'WrongIdentity' });
    const allowed = { trajectories: await trajectoriesDigest(database.dataSource, input.training, 'tiny-random') };
    await expect(activities.freezeRecordedBatch({ ...input, allowed })).resolves.toMatchObject({ samples: 3 });
  });

  it('refuses a run that does not exist, has another model, or has nothing to teach', async () => {
    const { dataSource } = database;
    const digest = (changes: Partial<RecordedTraining['trajectories']>, model = 'tiny-random') =>
      trajectoriesDigest(
        dataSource,
        { ...input.training, trajectories: { ...input.training.trajectories, ...changes } },
        model,
      );
    await expect(digest({ run: 'nobody' })).rejects.toMatchObject({ type: 'NotFound' });
    await expect(digest({}, 'other-model')).rejects.toMatchObject({ type: 'WrongIdentity' });
    await expect(digest({ minimum_reward: 2 })).rejects.toMatchObject({ type: 'BadConfiguration' });
  });

  it('resolves a policy by its name, and refuses one of another model (I11)', async () => {
    const { dataSource } = database;
    const row = { runId: teacher(), step: 3, uri: 'file:///p', sha256: 'c'.repeat(64), metrics: {} };
    await dataSource.getRepository(Policy).save(row);
    const name = `${teacher()}@3`;
    for (const model of ['tiny-random', undefined]) {
      expect(await resolvePolicy(dataSource, name, model)).toEqual({ name, sha256: row.sha256 });
    }
    await expect(resolvePolicy(dataSource, name, 'other')).rejects.toMatchObject({ type: 'WrongIdentity' });
    await expect(resolvePolicy(dataSource, `${teacher()}@4`, 'tiny-random')).rejects.toMatchObject({
      type: 'NotFound',
    });
  });
});
