import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../../cli/testing/test-cli.js';
import { createApiKey } from '../../infra/database/api-keys.js';
import {
  AgentFlow,
  ModelReply,
  TrainingRun,
  TrainingStep,
  Turn,
  UsageEntry,
} from '../../infra/database/entities/index.js';
import { explain } from '../../infra/database/testing/explain.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import { TestApi } from '../testing/test-api.js';
import type { UsageReportDto } from './dto/usage-report.dto.js';

const SHA = 'a'.repeat(64);
const NOV = { from: '2026-11-01', to: '2026-11-30' };

describe('GET /v1/usage', () => {
  let api: TestApi;
  let theirs: string;
  /** Runs of the project `default`, in the order in which they began to use something; the third is another project's. */
  const runs = ['run-aaaaaaaaaa', 'run-bbbbbbbbbb', 'run-cccccccccc'];
  const flow = 'flow-aaaaaaaaaa';

  const table = <Row extends object>(entity: new () => Row) => api.database.dataSource.getRepository(entity);
  const at = (time: string) => new Date(`2026-11-${time}Z`);

  /** A planner's call as the policy server samples it. */
  const sample = (flowId: string, turn: number, createdAt: Date, prompt: number, completion: number) =>
    table(Turn).insert({
      flowId,
      turn,
      module: 'planner',
      output: { tool: 'calculator' },
      policyName: `${runs[0]}@3`,
      policySha256: SHA,
      promptTokenIds: Buffer.alloc(4 * prompt),
      responseTokenIds: Buffer.alloc(4 * completion),
      createdAt,
    });
  const execution = (flowId: string, turn: number, createdAt: Date, output: object = {}) =>
    table(Turn).insert({ flowId, turn, module: 'executor', output, createdAt });
  const reply = (flowId: string, occurrence: number, createdAt: Date, said: object) =>
    table(ModelReply)
      .createQueryBuilder()
      .insert()
      .values({
        flowId,
        turn: 1,
        module: 'verifier',
        requestSha256: SHA,
        occurrence,
        attempt: 'a',
        reply: said,
        createdAt,
      })
      .orIgnore()
      .execute();
  const step = (runId: string, number: number, createdAt: Date, metrics: object) =>
    table(TrainingStep).insert({ runId, step: number, policySha256: SHA, metrics, createdAt });

  beforeAll(async () => {
    api = await TestApi.start();
    theirs = await createApiKey(api.database.dataSource, 'theirs');
    for (const [n, id] of runs.entries()) {
      await table(TrainingRun).insert(
        trainingRunRow({ id, project: n === 2 ? 'theirs' : 'default', status: 'completed', finishedAt: new Date() }),
      );
    }
    const asked = { question: 'Why?', dataset: { name: 'atlas', seed: 7 }, model: 'tiny-random', config: {} as never };
    await table(AgentFlow).insert({ id: flow, project: 'default', status: 'completed', ...asked, images: [] });
    const [first, second, other] = runs;

    // The last moment of a day, and the first of the next.
    await sample(`${first}/1/0/0`, 1, at('10T23:59:59.999'), 100, 10);
    await sample(`${first}/1/0/0`, 2, at('11T00:00:00'), 200, 20);
    await execution(`${first}/1/0/0`, 1, at('10T23:59:59.999'));
    await execution(`${first}/1/0/0`, 2, at('11T00:00:00'), { mistakeKind: 'failed' });
    // No tool was called with these.
    await execution(`${first}/1/0/0`, 3, at('11T00:00:00'), { mistakeKind: 'invalid_arguments' });
    const large = { engine: 'llm', model: 'large', inputTokens: 1_000, outputTokens: 50, cost: 0.1 };
    await reply(`${first}/1/0/0`, 0, at('11T00:00:01'), large);
    await reply(`${first}/1/0/0`, 1, at('11T00:00:02'), { ...large, cost: 0.2 });
    // What a second attempt is told is the row of the first; the cache's answers were paid before.
    await reply(`${first}/1/0/0`, 1, at('11T00:00:03'), { ...large, cost: 0.2 });
    await reply(`${first}/1/0/0`, 2, at('11T00:00:04'), { ...large, cached: true });
    await step(first, 1, at('11T00:00:05'), { seconds: 1.5 });
    await step(first, 2, at('11T00:00:06'), { seconds: 2.25 });
    await step(first, 3, at('11T00:00:07'), {});

    await reply(`${second}/1/0/0`, 0, at('20T12:00:00'), {
      engine: 'llm',
      model: 'unpriced',
      inputTokens: 7,
      outputTokens: 3,
    });
    await reply(`${second}/1/0/0`, 1, at('20T12:00:00'), { engine: 'llm', model: 'silent' });
    await reply(`${second}/1/0/0`, 2, at('20T12:00:00'), {
      engine: 'policy',
      model: `${first}@3`,
      inputTokens: 5,
      outputTokens: 2,
    });
    await reply(`${second}/1/0/0`, 3, at('20T12:00:00'), { inputTokens: 1e300, outputTokens: 'many', cost: 'dear' });
    await reply(flow, 0, at('30T12:00:00'), { engine: 'llm', model: 'free', inputTokens: 4, outputTokens: 1, cost: 0 });
    await reply(`${other}/1/0/0`, 0, at('11T12:00:00'), { ...large, cost: 77 });
    await sample('nobody/1/0/0', 1, at('11T12:00:00'), 9, 9);
  });
  afterAll(async () => api.stop());

  const get = async (query: object, key?: string) =>
    (
      await api
        .request('get', '/v1/usage', key)
        .query({ ...NOV, ...query })
        .expect(200)
    ).body as UsageReportDto;

  const FIRST = {
    calls: 4,
    prompt_tokens: 2_300,
    completion_tokens: 130,
    unmetered_calls: 0,
    cost: 0.3,
    unpriced_calls: 0,
    tool_calls: 2,
    trainer_seconds: 3.75,
  };
  const HUGE = Number.MAX_SAFE_INTEGER;

  it('adds up by run what was counted by hand, those that began last first', async () => {
    const { data, total, ...rest } = await get({});
    expect(rest).toMatchObject({ object: 'list', by: 'run', time_zone: 'UTC', has_more: false, ...NOV });
    expect(data.map(({ run_id, day }) => [run_id, day])).toEqual([
      [flow, null],
      [runs[1], null],
      [runs[0], null],
    ]);
    expect(data[2]).toMatchObject(FIRST);
    expect(data[2].models).toEqual([
      {
        kind: 'language_model',
        name: 'large',
        calls: 2,
        prompt_tokens: 2_000,
        completion_tokens: 100,
        unmetered_calls: 0,
        cost: 0.3,
        unpriced_calls: 0,
      },
      {
        kind: 'planner',
        name: runs[0],
        calls: 2,
        prompt_tokens: 300,
        completion_tokens: 30,
        unmetered_calls: 0,
        cost: null,
        unpriced_calls: 0,
      },
    ]);
    expect(data[2].tools).toEqual([{ name: 'calculator', calls: 2 }]);
    expect(data[1]).toMatchObject({ calls: 4, cost: null, unpriced_calls: 3, unmetered_calls: 2, trainer_seconds: 0 });
    expect(data[1].models.map(({ kind, name, prompt_tokens, cost }) => [kind, name, prompt_tokens, cost])).toEqual([
      ['language_model', 'silent', 0, null],
      ['language_model', 'unpriced', 7, null],
      ['language_model', null, HUGE, null],
      ['policy', runs[0], 5, null],
    ]);
    // What is free costs nothing, which is known.
    expect(data[0]).toMatchObject({ calls: 1, cost: 0, unpriced_calls: 0 });
    expect(total).toMatchObject({ calls: 9, cost: 0.3, unpriced_calls: 3, tool_calls: 2, trainer_seconds: 3.75 });
  });

  it('splits it by day at midnight in UTC, and single days add up to their range', async () => {
    const { data, total } = await get({ by: 'day' });
    expect(data.map(({ day, calls, tool_calls }) => [day, calls, tool_calls])).toEqual([
      ['2026-11-10', 1, 1],
      ['2026-11-11', 3, 1],
      ['2026-11-20', 4, 0],
      ['2026-11-30', 1, 0],
    ]);
    for (const part of data) {
      const day = part.day!;
      const alone = await get({ by: 'day', from: day, to: day });
      expect(alone.data).toEqual([part]);
      expect(part).toMatchObject(alone.total);
    }
    expect(total).toEqual((await get({})).total);
  });

  it('tells of one run alone, and of none that is not there', async () => {
    const { data, total } = await get({ run_id: runs[0], by: 'day' });
    expect(data.map(({ day }) => day)).toEqual(['2026-11-10', '2026-11-11']);
    expect(total).toMatchObject(FIRST);
    await api.request('get', '/v1/usage').query({ run_id: 'run-none' }).expect(404);
    await api.request('get', '/v1/usage').query({ run_id: runs[2] }).expect(404);
  });

  it('tells each project its own', async () => {
    const { data, total } = await get({}, theirs);
    expect(data.map(({ run_id }) => run_id)).toEqual([runs[2]]);
    expect(total).toMatchObject({ calls: 1, cost: 77 });
  });

  it('goes through runs in pages, whose total stays that of all', async () => {
    const seen: (string | null)[] = [];
    let after: string | undefined;
    do {
      const page = await get({ limit: 1, ...(after && { after }) });
      expect(page.total.calls).toBe(9);
      seen.push(...page.data.map(({ run_id }) => run_id));
      after = page.has_more ? page.last_id! : undefined;
    } while (after !== undefined);
    expect(seen).toEqual([flow, runs[1], runs[0]]);
    const { body } = await api.request('get', '/v1/usage').query({ after: 'run-none' }).expect(400);
    expect(body).toMatchObject({ error: { code: 'unknown_cursor' } });
  });

  it.each([
    { from: '2026-11-31' },
    { from: 'yesterday' },
    { from: '2026-11-02', to: '2026-11-01' },
    { from: '2024-01-01', to: '2026-01-01' },
    { by: 'month' },
    { to: '2026-11-01T00:00:00Z' },
  ])('refuses %j', async (query) => {
    await api.request('get', '/v1/usage').query(query).expect(400);
  });

  it('tells of the last 30 days, today among them, if no day is named', async () => {
    const { body } = await api.request('get', '/v1/usage').expect(200);
    const { from, to } = body as UsageReportDto;
    expect((Date.parse(to) - Date.parse(from)) / 86_400_000).toBe(29);
    expect(Date.now() - Date.parse(to)).toBeLessThan(2 * 86_400_000);
  });

  it('is shown by the command, which does not call free what has no price', async () => {
    const access = { url: api.url, key: api.key };
    const range = ['--from', NOV.from, '--to', NOV.to];
    const { lines, notes } = await runCli(access, 'usage', ...range);
    expect(lines[0]).toBe('2026-11-01 to 2026-11-30, days in UTC');
    const cells = (name: string) => lines.find((line) => line.startsWith(name))!.split(/ {2,}/);
    expect(cells(runs[0])).toEqual([runs[0], '4', '2300', '130', '0.3', '2', '3.75']);
    expect(cells(runs[1])[4]).toBe('-');
    expect(cells(flow)[4]).toBe('0');
    expect(cells('all')[4]).toBe('>= 0.3');
    expect(notes.join('\n')).toContain('3 calls have no price');
    const json = await runCli(access, 'usage', '--by', 'day', '--run', runs[0], ...range, '--json');
    expect(JSON.parse(json.lines.join('\n'))).toMatchObject({ by: 'day', total: FIRST });
  });

  it('keeps what a deleted run has used', async () => {
    const before = await get({});
    await api.request('delete', `/v1/training_runs/${runs[0]}`).expect(409);
    api.workflows.goneWorkflow = { reason: 'it is completed', cancelled: false };
    await api.request('delete', `/v1/training_runs/${runs[0]}`).expect(202);
    await api.app.get(RemovalsService).proceed();
    expect(await table(Turn).countBy({ flowId: `${runs[0]}/1/0/0` })).toBe(0);
    expect(await table(TrainingStep).countBy({ runId: runs[0] })).toBe(0);
    expect(await get({})).toEqual(before);
    expect((await get({ run_id: runs[0] })).total).toMatchObject(FIRST);
  });

  it('reads the days that are asked for, and not all that the project ever used', async () => {
    const { dataSource } = api.database;
    await dataSource.query(`INSERT INTO usage_entries (project, submission, at, kind, name, prompt_tokens, completion_tokens)
      SELECT 'large', 'run-' || n % 50, '2020-01-01'::timestamptz + n * interval '1 minute', 'planner', 'm', 1, 1
      FROM generate_series(1, 200000) AS n`);
    await dataSource.query('ANALYZE usage_entries');
    const lines = await explain(
      dataSource,
      `SELECT count(*) FROM usage_entries WHERE project = 'large'
        AND at >= '2020-02-01'::date::timestamp AT TIME ZONE 'UTC' AND at < '2020-02-03'::date::timestamp AT TIME ZONE 'UTC'`,
    );
    expect(lines).toContain('usage_entries_project_at');
    expect(lines).not.toContain('Seq Scan');
    await table(UsageEntry).delete({ project: 'large' });
  });
});
