import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Rollout, TrainingRun } from '../../infra/database/entities/index.js';
import { explain } from '../../infra/database/testing/explain.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { rolloutRow } from '../../infra/database/testing/rollout-row.js';
import { readSorted, SORTS, type Sort } from './sorted-rollouts.js';

/** Of a run: enough that reading them all is dearer than an index. */
const MANY = 20_000;

interface Page {
  data: { id: string; reward: number | null; advantage: number | null }[];
  has_more: boolean;
  last_id: string;
}

/*
 * How sorted pages have failed elsewhere: nothing follows a page that ends at or before a null (twentyhq/twenty#24333,
 * nicia-ai/typegraph#696, Azure/data-api-builder#3234), a page of one sort goes on in another (TracecatHQ/tracecat#3131,
 * simstudioai/sim#6067), a cursor that is compared with another column than the list is sorted by skips rows
 * (lablup/backend.ai#13069), equal values are given twice or never, and no index serves the largest first with nulls
 * last (hasura/graphql-engine#657, zulip/zulip#40011).
 */
describe('rollouts sorted by a value', () => {
  let api: TestApi;
  let runId: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const run = trainingRunRow();
    runId = run.id;
    const { dataSource } = api.database;
    await dataSource.getRepository(TrainingRun).insert(run);
    // Of each value several, in steps before and after each other; a third has none.
    const values = [0, 1, null, 0.1 + 0.2, -1e-7, null, 1];
    for (let n = 0; n < 21; n += 1) {
      const values_ = { reward: values[n % 7], advantage: values[(n * 3 + 1) % 7] };
      await dataSource.getRepository(Rollout).insert(rolloutRow(runId, 1 + Math.floor(n / 4), n % 4, values_));
    }
    // Ten are before two as a text, and a question of an evaluation may stand at the place of a rollout.
    const evaluated = { purpose: 'evaluation' as const, reward: 1, flowId: `${runId}/eval/1/policy/0` };
    await dataSource.getRepository(Rollout).insert(rolloutRow(runId, 1, 0, evaluated));
    await dataSource.getRepository(Rollout).insert(rolloutRow(runId, 10, 0, { reward: 1, advantage: 1 }));
  });
  afterAll(async () => api.stop());

  const page = async (query: string): Promise<Page> =>
    (await api.request('get', `/v1/rollouts?run_id=${runId}&${query}`).expect(200)).body as Page;

  async function walk(query: string, limit: number): Promise<Page['data']> {
    const found: Page['data'] = [];
    for (let after = ''; ;) {
      const { data, has_more, last_id } = await page(`${query}&limit=${limit}${after}`);
      found.push(...data);
      if (!has_more) return found;
      after = `&after=${encodeURIComponent(last_id)}`;
    }
  }

  /** The order that is promised, computed from the whole list. */
  function sorted(all: Page['data'], sort: Sort): string[] {
    const column = sort.endsWith('reward') ? 'reward' : 'advantage';
    const sign = sort.startsWith('-') ? -1 : 1;
    const place = (id: string) => {
      const [step, group, rollout] = id.includes('/eval/') ? [1, 0, 0] : id.split('/').slice(1).map(Number);
      return [step, group, rollout];
    };
    return all
      .toSorted((a, b) => {
        const [x, y] = [a[column], b[column]];
        if ((x === null) !== (y === null)) return x === null ? 1 : -1;
        const values = [(x ?? 0) - (y ?? 0), ...place(a.id).map((part, i) => part - place(b.id)[i])];
        return sign * (values.find((difference) => difference !== 0) ?? (a.id < b.id ? -1 : 1));
      })
      .map(({ id }) => id);
  }

  it.each(SORTS)('by %s: each once, what has no value last, in pages of any size', async (sort) => {
    const all = await walk('', 100);
    expect(all).toHaveLength(23);
    for (const limit of [1, 2, 5, 7, 23, 100]) {
      expect((await walk(`sort=${sort}`, limit)).map(({ id }) => id)).toEqual(sorted(all, sort));
    }
  });

  it.each(SORTS)('by %s: with every filter that the list has', async (sort) => {
    for (const filter of ['purpose=train', 'step=2', 'reward_min=0.3', 'outcome=answered&tool=calculator']) {
      const ids = (await walk(`${filter}&sort=${sort}`, 2)).map(({ id }) => id);
      expect(ids).toEqual(sorted(await walk(filter, 100), sort));
    }
  });

  it('goes on where a page ended, though its last rollout has another value by now', async () => {
    const first = await page('sort=-advantage&limit=2');
    const rest = (await page(`sort=-advantage&limit=100&after=${encodeURIComponent(first.last_id)}`)).data;
    const { id } = first.data[1];
    const repository = api.database.dataSource.getRepository(Rollout);
    const before = await repository.findOneByOrFail({ flowId: id });
    await repository.update({ flowId: id }, { advantage: -5 });
    const now = (await page(`sort=-advantage&limit=100&after=${encodeURIComponent(first.last_id)}`)).data;
    expect(now.filter((rollout) => rollout.id !== id)).toEqual(rest);
    await repository.update({ flowId: id }, { advantage: before.advantage });
  });

  it('refuses a cursor of another sort, of another run, of no list, and a sort that there is not', async () => {
    const other = trainingRunRow();
    await api.database.dataSource.getRepository(TrainingRun).insert(other);
    await api.database.dataSource.getRepository(Rollout).insert(rolloutRow(other.id, 1, 0, { reward: 1 }));
    const { last_id: cursor } = await page('sort=-reward&limit=2');
    const plain = (await page('limit=2')).last_id;
    const refused = [
      `after=${cursor}`,
      ...SORTS.filter((sort) => sort !== '-reward').map((sort) => `sort=${sort}&after=${cursor}`),
      `sort=-reward&after=${plain}`,
      `sort=-reward&after=-reward:1:${other.id}/1/0/0`,
      ...['', ':', '-reward:', '-reward:1', '-reward:NaN:x', '-reward:1e999:x', '-reward::x'].map(
        (text) => `sort=-reward&after=${text}`,
      ),
      'sort=',
      'sort=step',
      'sort=reward,step',
      'sort=reward&sort=-reward',
    ];
    for (const query of refused) {
      const { body } = await api.request('get', `/v1/rollouts?run_id=${runId}&${query}`).expect(400);
      expect((body as { error: { param: string } }).error.param).toBe(query.includes('after') ? 'after' : 'sort');
    }
  });

  it.each(SORTS)(
    'by %s: is served by an index, at its beginning, far in it and among what has no value',
    async (sort) => {
      const { dataSource } = api.database;
      const many = trainingRunRow({ id: `run-many-${SORTS.indexOf(sort)}` });
      await dataSource.getRepository(TrainingRun).insert(many);
      await dataSource.query(
        `INSERT INTO rollouts (flow_id, run_id, purpose, step, group_index, rollout_index, query_id, family, question, outcome,
         reward, advantage, turns, tools, memory)
       SELECT $1 || '/' || n, $1, 'train', n / 64, n % 8, n % 64 / 8, 'q', 'f', 'Why?', 'answered',
         CASE WHEN n % 10 > 0 THEN n % 5 / 4.0 END, CASE WHEN n % 3 > 0 THEN sin(n) END, 1, '[]', '[]'
       FROM generate_series(1, ${MANY}) AS n`,
        [many.id],
      );
      await dataSource.query('ANALYZE rollouts');
      const place = { step: 50, groupIndex: 2, rolloutIndex: 1, flowId: `${many.id}/3250` };
      for (const after of [undefined, { ...place, value: 0.5 }, { ...place, value: null }]) {
        for (const plan of await plansOf(many.id, sort, after)) {
          expect(plan).toContain(`rollouts_run_${sort.replace('-', '')}`);
          expect(plan).not.toMatch(/Seq Scan|Sort/);
        }
      }
    },
  );

  /** Of the queries that a page is read with. */
  async function plansOf(id: string, sort: Sort, after: Parameters<typeof readSorted>[3]): Promise<string[]> {
    const { dataSource } = api.database;
    const repository = dataSource.getRepository(Rollout);
    const made: ReturnType<typeof repository.createQueryBuilder>[] = [];
    await readSorted(
      () => {
        const query = repository.createQueryBuilder('rollout').where({ submissionId: id });
        made.push(query);
        return query;
      },
      sort,
      20,
      after,
    );
    return Promise.all(made.map((query) => explain(dataSource, ...query.getQueryAndParameters())));
  }
});
