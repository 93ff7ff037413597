import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Rollout, TrainingRun } from '../../infra/database/entities/index.js';
import { explain } from '../../infra/database/testing/explain.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { GroupsController } from './groups.controller.js';
import { GROUPS } from './groups.service.js';
import { rolloutRow } from '../../infra/database/testing/rollout-row.js';

interface Page {
  data: { id: string }[];
  has_more: boolean;
  last_id: string;
}

describe(GroupsController, () => {
  let api: TestApi;
  let runId: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const run = trainingRunRow();
    runId = run.id;
    await api.database.dataSource.getRepository(TrainingRun).insert(run);
    const add = (step: number, group: number, rollout: number, columns: Partial<Rollout>) =>
      api.database.dataSource.getRepository(Rollout).insert(
        rolloutRow(runId, step, rollout, {
          flowId: `${runId}/${step}/${group}/${rollout}`,
          groupIndex: group,
          queryId: `q${group}`,
          ...columns,
        }),
      );
    const excluded = { reward: null, outcome: 'infrastructure' } as const;
    await add(2, 0, 0, { reward: 1, advantage: 0.5 });
    await add(2, 0, 2, { reward: 0, advantage: -0.5 });
    await add(2, 0, 1, excluded);
    await add(2, 10, 0, { reward: 0.25, advantage: 0 });
    await add(2, 9, 0, excluded);
    await add(10, 0, 0, { reward: 1 });
    await add(2, 0, 7, { purpose: 'evaluation', flowId: `${runId}/eval/2/policy/0`, reward: 0 });
  });
  afterAll(async () => api.stop());

  const list = async (query = ''): Promise<Page> =>
    (await api.request('get', `/v1/groups?run_id=${runId}${query}`).expect(200)).body as Page;

  it('compares the rollouts of a question; those of evaluations are in none', async () => {
    const { data } = await list('&step=2');
    expect(data).toEqual([
      {
        id: `${runId}/2/0`,
        object: 'group',
        run_id: runId,
        step: 2,
        group: 0,
        query_id: 'q0',
        family: 'arithmetic',
        question: 'What is 1 plus 1?',
        scored: 2,
        excluded: 1,
        reward_mean: 0.5,
        reward_std: Math.SQRT1_2,
        rollouts: [
          { id: `${runId}/2/0/0`, outcome: 'answered', reward: 1, advantage: 0.5 },
          { id: `${runId}/2/0/1`, outcome: 'infrastructure', reward: null, advantage: null },
          { id: `${runId}/2/0/2`, outcome: 'answered', reward: 0, advantage: -0.5 },
        ],
      },
      expect.objectContaining({ id: `${runId}/2/9`, scored: 0, excluded: 1, reward_mean: null, reward_std: null }),
      expect.objectContaining({ id: `${runId}/2/10`, scored: 1, reward_mean: 0.25, reward_std: null }),
    ]);
  });

  it('lists them by the numbers of step and group, in pages', async () => {
    const all = ['2/0', '2/9', '2/10', '10/0'].map((place) => `${runId}/${place}`);
    expect((await list()).data.map(({ id }) => id)).toEqual(all);
    const found: string[] = [];
    for (let after = ''; ;) {
      const page = await list(`&limit=1${after}`);
      found.push(...page.data.map(({ id }) => id));
      if (!page.has_more) break;
      after = `&after=${page.last_id}`;
    }
    expect(found).toEqual(all);
    expect((await list('&step=3')).data).toEqual([]);
  });

  it('refuses what is no group of the run, and a list of no run', async () => {
    for (const after of [`${runId}/2/0/0`, `${runId}/2`, `run-other/2/0`, `${runId}/2/99999999999`, '2/0', runId]) {
      await api.request('get', `/v1/groups?run_id=${runId}&after=${after}`).expect(400);
    }
    await api.request('get', '/v1/groups').expect(400);
    await api.request('get', '/v1/groups?run_id=run-none').expect(404);
  });

  it('reads the rollouts of a page alone, of however many there are', async () => {
    const { dataSource } = api.database;
    const many = trainingRunRow();
    await dataSource.getRepository(TrainingRun).insert(many);
    await dataSource.query(
      `INSERT INTO rollouts (flow_id, run_id, purpose, step, group_index, rollout_index, query_id, family, question, outcome,
         reward, turns, tools, memory)
       SELECT $1 || '/' || n, $1, 'train', n / 64, n % 8, n % 64 / 8, 'q', 'f', 'Why?', 'answered', 1, 1, '[]', '[]'
       FROM generate_series(1, 20000) AS n`,
      [many.id],
    );
    await dataSource.query('ANALYZE rollouts');
    const plan = await explain(dataSource, GROUPS, [many.id, null, 200, 3, 21]);
    expect(plan).toContain('rollouts_run_purpose_step');
    expect(plan).toMatch(/Incremental Sort[^]*Presorted Key: step/);
    expect(plan).not.toContain('Seq Scan');
  });
});
