import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { tableFromIPC } from 'apache-arrow';
import { openArtifactStore } from '../../infra/artifacts/open-artifact-store.js';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import { Batch, Rollout, Turn } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import type { FreezeBatchInput } from '../../contracts/agent-activities.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import type { RolloutTraining } from '../../contracts/training-config.js';
import { createTrajectoryActivities } from './trajectory.activities.js';
import { TurnStore } from './turn-store.js';

const policy = { name: 'run-1@2', sha256: 'a'.repeat(64) };
const training = runConfigSchema.parse({ model: 'tiny-random', steps: 1 }).training as RolloutTraining;
const dataset = { name: 'atlas', seed: 7 };

describe('freezeBatch', () => {
  let database: TestDatabase;
  let root: string;
  let activities: ReturnType<typeof createTrajectoryActivities>;
  let input: FreezeBatchInput;
  let run = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    root = await mkdtemp(join(tmpdir(), 'agentflow-freeze-'));
    const artifacts = openArtifactStore(pathToFileURL(root).href);
    activities = createTrajectoryActivities({ dataSource: database.dataSource, artifacts });
  });
  afterAll(async () => {
    await rm(root, { recursive: true, force: true });
    await database.drop();
  });
  beforeEach(() => {
    run += 1;
    input = {
      runId: `run-${run}`,
      step: 3,
      revision: 0,
      decision: { skipGroups: [], skipStep: false },
      responseLimit: 20,
      draws: 3,
      policy,
      model: 'tiny-random',
      seed: 11,
      training,
      temperature: 0.7,
      groups: [
        { group: 0, rollouts: [0, 1] },
        { group: 2, rollouts: [1] },
      ],
      identity: { model: 'tiny-random' },
    };
  });

  /** A recorded rollout of `turns` planner turns; its tokens say where they come from. */
  async function roll(group: number, rollout: number, turns: number, sampledBy = policy): Promise<void> {
    const flow = {
      flowId: `${input.runId}/3/${group}/${rollout}`,
      runId: input.runId,
      runSeed: 1,
      purpose: 'train' as const,
      step: 3,
      group,
      rollout,
    };
    const store = new TurnStore(database.dataSource);
    for (let turn = turns; turn >= 1; turn -= 1) {
      const produce = async () => ({
        output: { text: 'x', finishReason: turn === 1 ? 'stop' : 'length', sampledTokens: turn },
        sample: {
          messages: [],
          promptTokenIds: [group, rollout, turn],
          responseTokenIds: Array.from({ length: turn }, (_, index) => index + 10),
          logprobs: Array.from({ length: turn }, (_, index) => -0.1 * (index + 1)),
          policyName: sampledBy.name,
          policySha256: sampledBy.sha256,
          temperature: 0.7,
          seed: '1',
          template: 't',
        },
      });
      await store.once({ flowId: flow.flowId, turn, module: 'planner' }, produce, new AbortController().signal);
    }
    await activities.recordRollout({
      flow,
      query: { id: 'q', dataset, family: 'lookup', question: 'What?' },
      policy,
      result: { flowId: flow.flowId, outcome: 'answered', answer: '1', reward: rollout, turns, tools: [] },
      memory: [],
    });
  }

  async function rollAll(): Promise<void> {
    await roll(2, 1, 1);
    await roll(0, 1, 2);
    await roll(0, 0, 1);
  }

  const table = async (uri: string) => tableFromIPC(await readFile(fileURLToPath(uri)));
  const batchInvalid = (message: RegExp) =>
    expect.objectContaining({ type: 'BatchInvalid', nonRetryable: true, message: expect.stringMatching(message) });

  it('writes every planner turn of the listed rollouts, sorted, in one record batch', async () => {
    await rollAll();
    await roll(1, 0, 1);
    const frozen = await activities.freezeBatch(input);
    expect(frozen).toMatchObject({ step: 3, samples: 4 });
    const content = await readFile(fileURLToPath(frozen.uri));
    expect([sha256Hex(content), content.length]).toEqual([frozen.sha256, frozen.bytes]);
    const batch = await table(frozen.uri);
    expect(batch.batches).toHaveLength(1);
    expect(batch.toArray().map((row) => JSON.parse(JSON.stringify(row)) as unknown)).toEqual([
      row(0, 0, 1, 'stop'),
      row(0, 1, 1, 'stop'),
      row(0, 1, 2, 'length'),
      row(2, 1, 1, 'stop'),
    ]);
    expect(JSON.parse(batch.schema.metadata.get('agentflow') ?? '')).toEqual({
      format: 3,
      trainer_version: 'flow-grpo-4',
      reference: null,
      response_limit: 20,
      draws: 3,
      decision: { skip_groups: [], skip_step: false },
      run_id: input.runId,
      step: 3,
      policy,
      model: 'tiny-random',
      seed: 11,
      temperature: 0.7,
      training,
      groups: 2,
      identity: { model: 'tiny-random' },
    });
  });

  function row(group: number, rollout: number, turn: number, finish_reason: string) {
    return {
      group,
      rollout,
      turn,
      prompt_token_ids: [group, rollout, turn],
      response_token_ids: [10, 11].slice(0, turn),
      logprobs: [-0.1, -0.2].slice(0, turn).map(Math.fround),
      reward: rollout,
      finish_reason,
    };
  }

  it('gives equal bytes for equal rows, in whatever order they were recorded (I5)', async () => {
    await rollAll();
    const first = await activities.freezeBatch(input);
    await database.dataSource.getRepository(Batch).delete({ runId: input.runId });
    await database.dataSource.getRepository(Turn).delete({ module: 'planner' });
    await database.dataSource.getRepository(Rollout).delete({ submissionId: input.runId });
    await roll(0, 0, 1);
    await roll(0, 1, 2);
    await roll(2, 1, 1);
    expect(await activities.freezeBatch(input)).toEqual(first);
  });

  it('is written once: attempts at once and later ones return the same row (I4)', async () => {
    await rollAll();
    const frozen = await Promise.all(Array.from({ length: 4 }, () => activities.freezeBatch(input)));
    expect(new Set(frozen.map((batch) => JSON.stringify(batch))).size).toBe(1);
    expect(await activities.freezeBatch({ ...input, seed: 99 })).toEqual(frozen[0]);
  });

  it('is written anew for a decision about the step, and the batch before it stays (I4)', async () => {
    await rollAll();
    const first = await activities.freezeBatch(input);
    const decided = { ...input, revision: 1, decision: { skipGroups: [2], skipStep: false } };
    const second = await activities.freezeBatch(decided);
    expect(second.uri).not.toBe(first.uri);
    const metadata = (await table(second.uri)).schema.metadata.get('agentflow') ?? '';
    expect(JSON.parse(metadata)).toMatchObject({ decision: { skip_groups: [2], skip_step: false } });
    expect(await activities.freezeBatch(input)).toEqual(first);
  });

  /** Of each rollout of the step, by group and rollout. */
  async function advantages(): Promise<Record<string, number | null>> {
    const rows = await database.dataSource.getRepository(Rollout).findBy({ submissionId: input.runId });
    return Object.fromEntries(rows.map((row) => [`${row.groupIndex}/${row.rolloutIndex}`, row.advantage]));
  }

  it('writes the advantages of the rollouts that it holds, and of no others', async () => {
    await rollAll();
    await roll(1, 0, 1);
    await activities.freezeBatch(input);
    const near = (value: number): unknown => expect.closeTo(value, 5);
    const expected = { '0/0': near(-Math.SQRT1_2), '0/1': near(Math.SQRT1_2), '1/0': null, '2/1': 0 };
    expect(await advantages()).toEqual(expected);
  });

  it('takes them from a group that a decision leaves out, and lets no late attempt write them back', async () => {
    await rollAll();
    await activities.freezeBatch(input);
    await activities.freezeBatch({ ...input, revision: 1, decision: { skipGroups: [0], skipStep: false } });
    const decided = { '0/0': null, '0/1': null, '2/1': 0 };
    expect(await advantages()).toEqual(decided);
    await activities.freezeBatch(input);
    expect(await advantages()).toEqual(decided);
  });

  it('writes batch and advantages together or not at all', async () => {
    await rollAll();
    const { dataSource } = database;
    await dataSource.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'no advantages today'; END $$`);
    await dataSource.query(
      'CREATE TRIGGER refuse BEFORE UPDATE OF advantage ON rollouts FOR EACH ROW EXECUTE FUNCTION refuse()',
    );
    await expect(activities.freezeBatch(input)).rejects.toThrow('no advantages today');
    expect(await dataSource.getRepository(Batch).countBy({ runId: input.runId })).toBe(0);
    await dataSource.query('DROP FUNCTION refuse CASCADE');
    await activities.freezeBatch(input);
    expect(Object.values(await advantages())).not.toContain(null);
  });

  it('I4: says what of the identity changed under the run and was allowed', async () => {
    await rollAll();
    const allowed = { planner_prompt: 'another' };
    const { uri } = await activities.freezeBatch({ ...input, allowed });
    expect(JSON.parse((await table(uri)).schema.metadata.get('agentflow') ?? '')).toMatchObject({
      identity: input.identity,
      allowed,
    });
  });

  it('writes an empty batch where no group is left', async () => {
    const frozen = await activities.freezeBatch({ ...input, groups: [] });
    expect(frozen.samples).toBe(0);
    const batch = await table(frozen.uri);
    expect([batch.numRows, batch.schema.fields.length]).toEqual([0, 8]);
  });

  it('refuses a turn of another policy (I11)', async () => {
    await rollAll();
    await database.dataSource.getRepository(Turn).delete({ flowId: `${input.runId}/3/0/0` });
    await roll(0, 0, 1, { ...policy, sha256: 'b'.repeat(64) });
    await expect(activities.freezeBatch(input)).rejects.toThrow(batchInvalid(/was planned by run-1@2 \(bbb/));
  });

  it('refuses rollouts that are missing, lack a turn or have no reward', async () => {
    await roll(0, 0, 1);
    await roll(0, 1, 2);
    await expect(activities.freezeBatch(input)).rejects.toThrow(batchInvalid(/rollout 1 of group 2 .* not recorded/));
    await roll(2, 1, 1);
    await database.dataSource.getRepository(Turn).delete({ flowId: `${input.runId}/3/0/1`, turn: 1 });
    await expect(activities.freezeBatch(input)).rejects.toThrow(batchInvalid(/took 2 turns, but turns 2/));
    await database.dataSource.getRepository(Rollout).update({ flowId: `${input.runId}/3/0/0` }, { reward: null });
    await expect(activities.freezeBatch(input)).rejects.toThrow(batchInvalid(/has no reward/));
  });
});
