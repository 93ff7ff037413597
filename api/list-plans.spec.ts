import type { Logger } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { addManyRuns } from '../infra/database/testing/many-runs.js';
import {
  collectionOf,
  OPERATIONS,
  parametersOf,
  type DescribedOperation,
  type Schema,
} from './testing/described-routes.js';
import { fillLists, type Ids } from './testing/first-project.js';
import { TestApi } from './testing/test-api.js';

jest.setTimeout(300_000);

/** Of a table: from here on, reading all of it is what a list must not do. */
const MANY_ROWS = 1_000;
const lists = OPERATIONS.filter(
  (operation) => operation.method === 'get' && parametersOf(operation, 'query').includes('limit'),
);

const HOUR_AGO = new Date(Date.now() - 3_600_000).toISOString();
/** A value of each filter that is a text. A new filter is added here. */
const TEXTS: Record<string, string> = {
  name: 'run 1',
  model: 'tiny-random',
  dataset: 'atlas',
  tool: 'calculator',
  question: 'plus',
  project: 'default',
  policy: 'run-1@1',
  created_from: HOUR_AGO,
  created_before: HOUR_AGO,
  from: '2026-01-31',
  to: '2026-01-31',
};

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: Plan[];
}

describe('the queries of every list, over many rows', () => {
  let api: TestApi;
  let ids: Ids;
  let large: Set<string>;

  beforeAll(async () => {
    api = await TestApi.start();
    ids = await fillLists(api);
    await addManyRuns(api.database.dataSource, { runs: 2_000, rolloutsPerRun: 20 });
    const rows: { name: string }[] = await api.database.dataSource.query(
      'SELECT relname AS name FROM pg_stat_user_tables WHERE n_live_tup > $1',
      [MANY_ROWS],
    );
    large = new Set(rows.map(({ name }) => name));
    expect([...large]).toEqual(expect.arrayContaining(['training_runs', 'rollouts', 'turns', 'run_events']));
  });
  afterAll(async () => api.stop());

  it.each(lists)('$name reads no large table from its beginning to its end', async (operation) => {
    const parameters = (operation.operation.parameters ?? []).filter(({ in: place }) => place === 'query');
    const filters = parameters.filter(({ name, required }) => name !== 'after' && !required);
    const needed = Object.fromEntries(
      parameters.filter(({ required }) => required).map(({ name, schema }) => [name, valueOf(name, schema)]),
    );
    for (const filter of [{}, ...filters.map(({ name, schema }) => ({ [name]: valueOf(name, schema) }))]) {
      const query = { ...needed, ...filter };
      const queries = await queriesOf(operation, query);
      expect(queries).not.toEqual([]);
      for (const [text, values] of queries) {
        const [{ 'QUERY PLAN': plans }] = await api.database.dataSource.query<[{ 'QUERY PLAN': { Plan: Plan }[] }]>(
          `EXPLAIN (FORMAT JSON) ${text}`,
          values,
        );
        const read = plans.flatMap(({ Plan: plan }) => readWhole(plan));
        expect({ query, text, read }).toEqual({ query, text, read: [] });
      }
    }
  });

  function valueOf(name: string, schema: Schema | undefined): unknown {
    if (name === 'run_id') return ids['/v1/training_runs'];
    const value = schema?.enum?.[0] ?? (schema?.type === 'string' ? TEXTS[name] : 1);
    if (value === undefined) throw new Error(`TEXTS has no value of the filter "${name}".`);
    return value;
  }

  /** What is asked of the database for the first page. */
  async function queriesOf({ path }: DescribedOperation, query: object): Promise<[string, unknown[]?][]> {
    const { dataSource } = api.database;
    const queries: [string, unknown[]?][] = [];
    const usual = dataSource.logger;
    dataSource.logger = Object.assign(Object.create(usual) as Logger, {
      logQuery: (text: string, parameters?: unknown[]) => {
        if (/^\s*(SELECT|WITH)\b/i.test(text)) queries.push([text, parameters]);
      },
    });
    const to = path.replace('{id}', encodeURIComponent(ids[collectionOf(path)]));
    const { status, body } = await api.request('get', to).query(query);
    dataSource.logger = usual;
    expect([status, status === 200 ? '' : body]).toEqual([200, '']);
    return queries;
  }

  function readWhole(plan: Plan): string[] {
    const below = (plan.Plans ?? []).flatMap(readWhole);
    const name = plan['Relation Name'];
    return plan['Node Type'] === 'Seq Scan' && name && large.has(name) ? [...below, name] : below;
  }
});
