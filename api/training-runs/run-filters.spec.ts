import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runConfigSchema } from '../../contracts/run-config.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import { TrainingRun } from '../../infra/database/entities/index.js';
import { explain } from '../../infra/database/testing/explain.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { TestApi } from '../testing/test-api.js';
import { filterOf, runsQuery } from './runs.query.js';
import { TrainingRunsRepository } from './training-runs.repository.js';

const PATH = '/v1/training_runs';
/** Of other projects and of this one: enough that reading them all is dearer than an index. */
const MANY = 20_000;

/*
 * How such lists have failed elsewhere: wildcards taken from the text (mevdschee/php-crud-api#1038), times without an
 * offset (apache/airflow#12201), an unknown status that gives the whole list (wso2-open-operations/cs-tools#1818) or a
 * 500 (dograh-hq/dograh#450), quotes (temporalio/ui#1714).
 */
describe('the list of training runs', () => {
  let api: TestApi;

  const config = (model: string, dataset: string) =>
    runConfigSchema.parse({ model, steps: 1, dataset: { name: dataset } });
  const RUNS: Partial<TrainingRun>[] = [
    { id: 'run-a', name: '100% of it', status: 'running', createdAt: new Date('2026-01-01T00:00:00.000Z') },
    { id: 'run-b', name: 'a_b', status: 'paused', createdAt: new Date('2026-01-02T00:00:00.000Z') },
    { id: 'run-c', name: 'axb', status: 'running', config: config('other-model', 'game24') },
    { id: 'run-d', name: `it's "quoted" \\ Äther`, status: 'completed', config: config('tiny-random', 'game24') },
  ];

  beforeAll(async () => {
    api = await TestApi.start();
    for (const run of RUNS) {
      await api.database.dataSource
        .getRepository(TrainingRun)
        .insert(trainingRunRow({ createdAt: new Date('2026-01-03T00:00:00.000Z'), ...run }));
    }
  });
  afterAll(async () => api.stop());

  const found = async (query: string, key?: string): Promise<string[]> => {
    const { body } = await api.request('get', `${PATH}?${query}`, key).expect(200);
    return (body as { data: { id: string }[] }).data.map(({ id }) => id);
  };

  it.each([
    ['status=running', ['run-c', 'run-a']],
    ['status=failed', []],
    ['model=other-model', ['run-c']],
    ['dataset=game24', ['run-d', 'run-c']],
    ['dataset=game24&status=completed', ['run-d']],
    ['name=B', ['run-c', 'run-b']],
    ['name=_', ['run-b']],
    ['name=%25', ['run-a']],
    ['name=%27s%20%22', ['run-d']],
    ['name=%5C', ['run-d']],
    ['created_from=2026-01-02T00:00:00Z', ['run-d', 'run-c', 'run-b']],
    ['created_before=2026-01-02T01:00:00%2B01:00', ['run-a']],
    ['created_from=2026-01-01T00:00:00Z&created_before=2026-01-03T00:00:00Z', ['run-b', 'run-a']],
    ['status=running&after=run-c', ['run-a']],
    ['status=running&after=run-b', ['run-a']],
    ['status=running&limit=1', ['run-c']],
  ])('?%s', async (query, ids) => {
    expect(await found(query)).toEqual(ids);
  });

  it.each([
    'status=done',
    'status=',
    'status=running&status=paused',
    'name=',
    'model=../weights',
    'created_from=2026-01-02T00:00:00',
    'created_from=yesterday',
    'created_before=2026-02-30T00:00:00Z',
    'created_from=0000-01-01T00:00:00Z',
    'sort=name',
    'after=run-none',
  ])('?%s is refused', async (query) => {
    await api.request('get', `${PATH}?${query}`).expect(400);
  });

  it("shows none of another project's runs, whatever is asked", async () => {
    const key = await createApiKey(api.database.dataSource, 'other');
    for (const query of ['', 'status=running', 'name=a', 'dataset=game24', 'created_from=2020-01-01T00:00:00Z']) {
      expect(await found(query, key)).toEqual([]);
    }
    await api.request('get', `${PATH}?after=run-a`, key).expect(400);
  });

  it('reads no whole table, whatever is filtered by', async () => {
    const { dataSource } = api.database;
    await dataSource.query(
      `INSERT INTO training_runs (id, project, name, status, config, config_sha256, steps, created_at)
       SELECT 'run-' || n, 'p' || n % 20, 'n' || n, (ARRAY['completed', 'failed', 'cancelled'])[1 + n % 3],
         jsonb_build_object('model', 'm' || n % 50, 'dataset', jsonb_build_object('name', 'd' || n % 50)), 's', 1,
         now() - n * interval '1 minute'
       FROM generate_series(1, ${MANY}) AS n`,
    );
    await dataSource.query('ANALYZE training_runs');
    const used = new Map<string, string>();
    for (const filter of [
      {},
      { status: 'failed' },
      { status: 'running' },
      { name: 'n7' },
      { model: 'm7' },
      { dataset: 'd7' },
      { created_from: new Date(Date.now() - 3_600_000).toISOString() },
    ]) {
      const plan = await planOf(filter);
      expect(plan).not.toContain('Seq Scan');
      used.set(Object.keys(filter)[0] ?? 'none', plan);
    }
    expect(used.get('status')).toContain('training_runs_project_status');
    expect(used.get('model')).toContain('training_runs_project_model');
    expect(used.get('dataset')).toContain('training_runs_project_dataset');
    expect(used.get('created_from')).toContain('training_runs_project_created_at');
    expect(used.get('name')).toContain('training_runs_project_number');
  });

  async function planOf(filter: object): Promise<string> {
    const { dataSource } = api.database;
    const plans: string[] = [];
    const repository = api.app.get(TrainingRunsRepository, { strict: false });
    await repository.list('p7', 20, undefined, (query) => {
      const [sql, parameters] = filterOf(runsQuery.parse(filter))(query).getQueryAndParameters();
      plans.push(sql, ...(parameters as string[]));
      return query;
    });
    const [sql, ...parameters] = plans;
    return explain(dataSource, sql, parameters);
  }
});
