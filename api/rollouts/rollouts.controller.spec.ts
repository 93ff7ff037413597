import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createApiKey } from '../../infra/database/api-keys.js';
import { Rollout, TrainingRun, Turn } from '../../infra/database/entities/index.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { RolloutsController } from './rollouts.controller.js';
import { rolloutRow } from '../../infra/database/testing/rollout-row.js';

describe(RolloutsController, () => {
  let api: TestApi;
  let runId: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const row = trainingRunRow();
    runId = row.id;
    const { dataSource } = api.database;
    await dataSource.getRepository(TrainingRun).insert(row);
    for (const step of [1, 2]) {
      for (const rollout of [0, 1]) await dataSource.getRepository(Rollout).insert(rolloutRow(runId, step, rollout));
    }
    await dataSource.getRepository(Turn).insert({
      flowId: `${runId}/1/0/0`,
      turn: 1,
      module: 'planner',
      output: { text: 'calculator: 1 + 1' },
      policyName: `${runId}@0`,
      policySha256: 'ab',
      promptTokenIds: Buffer.from(Int32Array.of(1, 2, 49_151).buffer),
      responseTokenIds: Buffer.from(Int32Array.of(7).buffer),
      logprobs: Buffer.from(Float32Array.of(-0.5).buffer),
      temperature: 1,
      seed: '18446744073709551615',
      prompt: [{ role: 'user', content: 'What is 1 plus 1?' }],
    });
  });
  afterAll(async () => api.stop());

  it('gives a rollout with its turns and their tokens', async () => {
    const { body } = await api.request('get', `/v1/rollouts/${encodeURIComponent(`${runId}/1/0/0`)}`).expect(200);
    expect(body).toMatchObject({ id: `${runId}/1/0/0`, object: 'rollout', step: 1, reward: 1, tools: ['calculator'] });
    expect(body).toMatchObject({ advantage: null });
    expect(body).toMatchObject({
      turn_records: [
        {
          module: 'planner',
          output: { text: 'calculator: 1 + 1' },
          prompt_token_ids: [1, 2, 49_151],
          response_token_ids: [7],
          logprobs: [-0.5],
          seed: '18446744073709551615',
        },
      ],
    });
  });

  it('lists the turns of a rollout in their order, in pages, as the whole has them', async () => {
    const id = `${runId}/1/0/1`;
    const path = `/v1/rollouts/${encodeURIComponent(id)}`;
    const records = [
      [2, 'verifier'],
      [0, 'judge'],
      [0, 'generator'],
      [1, 'executor'],
      [2, 'planner'],
      [0, 'query_analysis'],
      [1, 'planner'],
    ] as const;
    const rows = records.map(([turn, module]) => ({ flowId: id, turn, module, output: { at: `${turn}/${module}` } }));
    await api.database.dataSource.getRepository(Turn).insert(rows);
    const whole = (await api.request('get', path).expect(200)).body as { turn_records: object[] };
    expect(whole.turn_records).toHaveLength(records.length);
    for (const limit of [1, 3, 7, 8]) {
      const listed: object[] = [];
      let after = '';
      do {
        const { body } = await api.request('get', `${path}/turns?limit=${limit}${after}`).expect(200);
        const page = body as { data: object[]; has_more: boolean; last_id: string };
        listed.push(...page.data);
        after = page.has_more ? `&after=${encodeURIComponent(page.last_id)}` : '';
      } while (after);
      expect(listed).toEqual(whole.turn_records);
    }
    const end = await api.request('get', `${path}/turns?after=${encodeURIComponent('0/judge')}`).expect(200);
    expect(end.body).toMatchObject({ data: [], has_more: false });
    for (const after of ['3/planner', '1', id]) {
      await api.request('get', `${path}/turns?after=${encodeURIComponent(after)}`).expect(400);
    }
  });

  it('lists the rollouts of a run in order, filtered and in pages', async () => {
    const path = `/v1/rollouts?run_id=${runId}`;
    const first = await api.request('get', `${path}&limit=3`).expect(200);
    expect(first.body).toMatchObject({ has_more: true, last_id: `${runId}/2/0/0` });
    const rest = await api.request('get', `${path}&after=${encodeURIComponent(`${runId}/2/0/0`)}`).expect(200);
    expect(rest.body).toMatchObject({ has_more: false, data: [{ id: `${runId}/2/0/1` }] });
    const step = await api.request('get', `${path}&step=1&purpose=train&group=0&outcome=answered`).expect(200);
    expect((step.body as { data: unknown[] }).data).toHaveLength(2);
    await api.request('get', '/v1/rollouts').expect(400);
  });

  it('finds rollouts by reward, tool and a part of the question, which is text and no pattern', async () => {
    const row = { ...rolloutRow(runId, 3, 0), reward: 0.25, tools: ['lookup', 'none'], question: 'Is 50% of A_b "x"?' };
    await api.database.dataSource.getRepository(Rollout).insert(row);
    const unscored = { ...rolloutRow(runId, 3, 1), reward: null, outcome: 'infrastructure' as const };
    await api.database.dataSource.getRepository(Rollout).insert(unscored);
    const found = async (query: string) => {
      const { body } = await api.request('get', `/v1/rollouts?run_id=${runId}&${query}`).expect(200);
      return (body as { data: { id: string }[] }).data.map(({ id }) => id.slice(runId.length + 1));
    };
    expect(await found('reward_max=0.5')).toEqual(['3/0/0']);
    expect(await found('reward_min=0.5&step=1')).toEqual(['1/0/0', '1/0/1']);
    expect(await found('reward_min=0.25&reward_max=0.25')).toEqual(['3/0/0']);
    expect(await found('tool=none')).toEqual(['3/0/0']);
    expect(await found('tool=look')).toEqual([]);
    for (const part of ['a_B', '50%', '_', '%', '"x"']) {
      expect(await found(`question=${encodeURIComponent(part)}`)).toEqual(['3/0/0']);
    }
    expect(await found(`question=${encodeURIComponent("' OR 1=1 --")}`)).toEqual([]);
    expect(await found(`tool=none&after=${encodeURIComponent(`${runId}/1/0/1`)}`)).toEqual(['3/0/0']);
    for (const query of ['reward_min=NaN', 'reward_max=many', 'tool=', 'question=']) {
      await api.request('get', `/v1/rollouts?run_id=${runId}&${query}`).expect(400);
    }
  });

  it("shows nothing of another project's runs", async () => {
    const key = await createApiKey(api.database.dataSource, 'other');
    await api.request('get', `/v1/rollouts?run_id=${runId}`, key).expect(404);
    await api.request('get', `/v1/rollouts/${encodeURIComponent(`${runId}/1/0/0`)}`, key).expect(404);
  });
});
