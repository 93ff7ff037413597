import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createApiKey } from '../../infra/database/api-keys.js';
import { BenchmarkEvaluation, Policy, Rollout, TrainingRun } from '../../infra/database/entities/index.js';
import { writeEvaluationReport, writeEvaluationStatus } from '../../infra/database/evaluation-status.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { GRADES } from '../../contracts/scoring.js';
import type { CellReport, EvaluationReport } from '../../contracts/benchmark-evaluation.js';
import { until } from '../../test/support/started-run.js';
import { RemovalsService } from '../submissions/removal/removals.service.js';
import { runCli, runCliWithAnswer } from '../../cli/testing/test-cli.js';
import { TestApi } from '../testing/test-api.js';
import { BenchmarkEvaluationsController } from './benchmark-evaluations.controller.js';
import { BenchmarkEvaluationsService } from './benchmark-evaluations.service.js';
import type { AnswerDto } from './dto/answer.dto.js';
import type { BenchmarkEvaluationDto } from './dto/benchmark-evaluation.dto.js';

const SHA = 'a'.repeat(64);

describe(BenchmarkEvaluationsController, () => {
  let api: TestApi;
  let runId: string;
  let directory: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const { dataSource } = api.database;
    const run = trainingRunRow();
    runId = run.id;
    await dataSource.getRepository(TrainingRun).insert(run);
    await api.commitPolicy(runId, 3, SHA);
    directory = await mkdtemp(join(tmpdir(), 'agentflow-eval-'));
  });
  afterAll(async () => {
    await api.stop();
    await rm(directory, { recursive: true });
  });

  const body = (changes: object = {}) => ({
    model: 'tiny-random',
    benchmarks: [{ name: 'atlas', questions: 2 }],
    policies: ['base', `${runId}@3`],
    ...changes,
  });
  const submit = (changes: object = {}) => api.request('post', '/v1/evaluations').send(body(changes));
  /** What the workflow writes. */
  async function run(id: string): Promise<void> {
    const { dataSource } = api.database;
    await writeEvaluationStatus(dataSource, { id, version: 1, status: 'running' });
    await dataSource.getRepository(Rollout).insert(rolloutRow(id));
    await writeEvaluationReport(dataSource, id, reportOf(['base', `${runId}@3`]));
    await writeEvaluationStatus(dataSource, { id, version: 2, status: 'completed' });
  }

  it('records an evaluation, starts its workflow, and reports what its flows came to', async () => {
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    expect(created).toMatchObject({ object: 'benchmark_evaluation', status: 'queued', flows: 0, report: null });
    expect(api.workflows.calls.at(-1)).toEqual(['start', created.id]);
    await run(created.id);
    const { body: ended } = (await api.request('get', `/v1/evaluations/${created.id}`)) as {
      body: BenchmarkEvaluationDto;
    };
    expect(ended).toMatchObject({ status: 'completed', flows: 1 });
    expect(ended.report?.cells).toMatchObject([
      { policy: 'base', max_turns: 2, correct: 1, accuracy: { value: 0.5 }, tokens: { value: 200 }, f1: null },
      { policy: `${runId}@3`, correct: 2, accuracy: { value: 1 } },
    ]);
    expect(ended.report?.comparisons).toMatchObject([{ first: 'base', second_better: 1, first_better: 0, p_value: 1 }]);
  });

  describe('its answers', () => {
    const judge = { model: 'gpt', equivalent: true, reason: 'the same' };
    const rows = [
      { reward: 1, grading: { rules: 'right', rule: 'number' }, answer: '5' },
      { reward: 0, grading: { rules: 'wrong', rule: 'number' }, answer: '6' },
      { reward: 0, grading: { rules: 'undecided', rule: 'text' }, answer: 'The capital is Paris.' },
      { reward: 1, grading: { rules: 'undecided', rule: 'text', judge }, answer: 'Paris, I think' },
      { reward: 1, grading: null, answer: '7' },
      { reward: null, grading: null, answer: null, outcome: 'infrastructure' },
      { reward: 0, grading: null, answer: null, outcome: 'unparsable' },
    ];
    let id: string;

    beforeAll(async () => {
      id = ((await submit().expect(201)).body as BenchmarkEvaluationDto).id;
      // Two cells; the flows end in an order of their own.
      const flows = [1, 0].flatMap((cell) =>
        rows.map((row, question) => ({
          ...rolloutRow(id),
          ...row,
          flowId: `${id}/${cell}/${question}/0`,
          step: cell,
          groupIndex: question,
        })),
      );
      await api.database.dataSource.getRepository(Rollout).insert(flows as object[]);
    });

    async function answers(query = ''): Promise<AnswerDto[]> {
      const { body } = await api.request('get', `/v1/evaluations/${id}/answers${query}`).expect(200);
      return (body as { data: AnswerDto[] }).data;
    }

    it('have one grade each, by line of the report and question', async () => {
      const all = await answers('?limit=100');
      expect(all.map(({ cell }) => cell)).toEqual([...rows.map(() => 0), ...rows.map(() => 1)]);
      expect(all.slice(0, 7).map(({ grade }) => grade)).toEqual([
        'right',
        'wrong',
        'undecided',
        'right',
        'right',
        'excluded',
        'wrong',
      ]);
      expect(all[2]).toMatchObject({ policy: 'base', max_turns: 2, rule: 'text', judge: null });
      expect(all[10]).toMatchObject({ policy: `${runId}@3`, rule: 'text', judge });
    });

    it('are found by grade and cell, and each is of exactly one grade', async () => {
      for (const cell of [0, 1]) {
        const found = await Promise.all(GRADES.map((grade) => answers(`?grade=${grade}&cell=${cell}`)));
        expect(found.map((list) => list.length)).toEqual([3, 2, 1, 1]);
        found.forEach((list, i) => list.forEach((answer) => expect(answer.grade).toBe(GRADES[i])));
      }
    });

    it('come in pages, without a gap', async () => {
      const seen: string[] = [];
      for (let after = ''; ;) {
        const page = await answers(`?limit=3&grade=right${after && `&after=${encodeURIComponent(after)}`}`);
        seen.push(...page.map((answer) => answer.id));
        if (page.length < 3) break;
        after = page[2].id;
      }
      expect(seen).toEqual([0, 3, 4].flatMap((q) => [`${id}/0/${q}/0`]).concat([0, 3, 4].map((q) => `${id}/1/${q}/0`)));
    });

    it('refuse the cursor of another evaluation, an unknown grade, and another project', async () => {
      const { body: other } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
      const cursor = encodeURIComponent(`${id}/0/0/0`);
      const { body } = await api.request('get', `/v1/evaluations/${other.id}/answers?after=${cursor}`).expect(400);
      expect(body).toMatchObject({ error: { code: 'unknown_cursor', param: 'after' } });
      await api.request('get', `/v1/evaluations/${id}/answers?grade=nice`).expect(400);
      const key = await createApiKey(api.database.dataSource, 'other');
      await api.request('get', `/v1/evaluations/${id}/answers`, key).expect(404);
    });

    it('are listed by the command line', async () => {
      const { lines } = await runCli({ url: api.url, key: api.key }, 'eval', '--id', id, '--answers', 'undecided');
      expect(lines).toHaveLength(3);
      expect(lines[1]).toMatch(/undecided +atlas +base +2 +q-0 +text +The capital is Paris\./);
      const all = await runCli({ url: api.url, key: api.key }, 'eval', '--id', id, '--answers', '--json');
      expect((JSON.parse(all.lines.join('\n')) as { data: unknown[] }).data).toHaveLength(14);
    });
  });

  it('a late status of an older version changes nothing', async () => {
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    await run(created.id);
    await writeEvaluationStatus(api.database.dataSource, { id: created.id, version: 1, status: 'running' });
    const { body: read } = await api.request('get', `/v1/evaluations/${created.id}`);
    expect(read).toMatchObject({ status: 'completed' });
  });

  it('refuses a policy that was collected, and writes nothing', async () => {
    const { dataSource } = api.database;
    const policy = await api.commitPolicy(runId, 4, SHA);
    const { uri } = await dataSource.getRepository(Policy).findOneByOrFail({ runId, step: 4 });
    await rm(new URL(uri), { recursive: true });
    const rows = await dataSource.getRepository(BenchmarkEvaluation).count();
    const { body: refused } = await submit({ policies: ['base', `${runId}@3`, policy] }).expect(400);
    expect(refused).toMatchObject({ error: { code: 'policy_collected', param: 'policies' } });
    expect(await dataSource.getRepository(BenchmarkEvaluation).count()).toBe(rows);
  });

  it.each([
    ['an unknown benchmark', { benchmarks: [{ name: 'hotpot' }] }, 'there is no dataset "hotpot"'],
    ['a path in the place of a name (I12)', { benchmarks: [{ name: '/etc/passwd' }] }, 'is a path'],
    ['a made-up world without a number of questions', { benchmarks: [{ name: 'atlas' }] }, 'is required'],
    ['an unknown policy', { policies: ['run-none@1'] }, 'there is no policy "run-none@1"'],
    ['a policy of another model', { model: 'smollm2-135m-instruct' }, 'is a policy of tiny-random'],
    ['a policy named twice', { policies: ['base', 'base'] }, 'names a policy twice'],
    ['equal trials', { trials: 2 }, 'would all be the same'],
    ['a reply as long as the context', { flow: { planner: { max_tokens: 2048 } } }, 'whose context has 2048 tokens'],
    ['a tool that nobody registered', { flow: { tools: ['shell'] } }, 'there is no tool "shell"'],
  ])('refuses %s, and writes nothing', async (_, changes, message) => {
    const repository = api.database.dataSource.getRepository(BenchmarkEvaluation);
    const [rows, calls] = [await repository.count(), api.workflows.calls.length];
    const { body: refused } = (await submit(changes).expect(400)) as { body: { error: { message: string } } };
    expect(refused.error.message).toContain(message);
    expect([await repository.count(), api.workflows.calls.length]).toEqual([rows, calls]);
  });

  it('gives the same evaluation for the same idempotency key, and 409 for another body', async () => {
    const first = await submit().set('Idempotency-Key', 'eval-key').expect(201);
    const again = await submit().set('Idempotency-Key', 'eval-key').expect(200);
    expect((again.body as BenchmarkEvaluationDto).id).toBe((first.body as BenchmarkEvaluationDto).id);
    await submit({ name: 'another' }).set('Idempotency-Key', 'eval-key').expect(409);
  });

  it("hides another project's evaluations", async () => {
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    const other = await createApiKey(api.database.dataSource, 'other');
    await api.request('get', `/v1/evaluations/${created.id}`, other).expect(404);
    await api.request('post', `/v1/evaluations/${created.id}/cancel`, other).expect(404);
    const { body: list } = (await api.request('get', '/v1/evaluations', other).expect(200)) as { body: object };
    expect(list).toMatchObject({ data: [] });
  });

  it('cancels one that runs, and refuses to cancel one that has ended', async () => {
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    await api.request('post', `/v1/evaluations/${created.id}/cancel`).expect(200);
    expect(api.workflows.calls.at(-1)).toEqual(['cancel', created.id]);
    await run(created.id);
    await api.request('post', `/v1/evaluations/${created.id}/cancel`).expect(409);
  });

  it('resumes one that is paused, tells why it is, and refuses to resume one that has ended', async () => {
    const { dataSource } = api.database;
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    const { id } = created;
    await writeEvaluationStatus(dataSource, { id, version: 1, status: 'running' });
    const failure = { type: 'Defect', message: 'scoreAnswer failed 5 times by itself, not for an outage: x.' };
    await writeEvaluationStatus(dataSource, { id, version: 2, status: 'paused', failure });
    const { body: paused } = await api.request('get', `/v1/evaluations/${id}`).expect(200);
    expect(paused).toMatchObject({ status: 'paused', failure, report: null, finished_at: null });
    const watching = runCli({ url: api.url, key: api.key }, 'eval', '--id', id);
    await expect(watching).rejects.toThrow(`${failure.message} npx agentflow eval --id ${id} --resume continues it.`);
    await api.request('post', `/v1/evaluations/${id}/resume`).expect(200);
    expect(api.workflows.calls.at(-1)).toEqual(['resume', id]);
    await writeEvaluationStatus(dataSource, { id, version: 3, status: 'running' });
    const { body: resumed } = await api.request('get', `/v1/evaluations/${id}`).expect(200);
    expect(resumed).toMatchObject({ status: 'running', failure: null });
    await run(id);
    await writeEvaluationStatus(dataSource, { id, version: 4, status: 'completed' });
    const { body: refused } = await api.request('post', `/v1/evaluations/${id}/resume`).expect(409);
    expect(refused).toMatchObject({
      error: { code: 'evaluation_ended', message: `${id} is completed; it cannot be resumed.` },
    });
    const other = await createApiKey(dataSource, 'other');
    await api.request('post', `/v1/evaluations/${id}/resume`, other).expect(404);
  });

  it('agentflow eval --resume goes on with one that is paused, and needs its id', async () => {
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    const { id } = created;
    await run(id);
    await api.database.dataSource.getRepository(BenchmarkEvaluation).update({ id }, { status: 'paused' });
    api.workflows.resumed = () =>
      writeEvaluationStatus(api.database.dataSource, { id, version: 9, status: 'completed' });
    const { lines } = await runCli({ url: api.url, key: api.key }, 'eval', '--id', id, '--resume');
    expect(api.workflows.calls.at(-1)).toEqual(['resume', id]);
    api.workflows.resumed = () => Promise.resolve();
    expect(lines.join('\n')).toMatch(/atlas +base/);
    await expect(runCli({ url: api.url, key: api.key }, 'eval', '--resume')).rejects.toThrow('--resume needs --id');
  });

  it('deletes one that has ended with its report and its flows, and refuses one that runs', async () => {
    const { dataSource } = api.database;
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    const { id } = created;
    const remove = () => api.request('delete', `/v1/evaluations/${id}`);
    expect((await remove().expect(409)).body).toMatchObject({ error: { code: 'not_ended' } });
    await run(id);
    expect((await remove().expect(409)).body).toMatchObject({ error: { code: 'still_ending' } });
    api.workflows.goneWorkflow = { reason: 'it completed', cancelled: false };
    const other = await createApiKey(dataSource, 'other');
    await api.request('delete', `/v1/evaluations/${id}`, other).expect(404);
    const access = { url: api.url, key: api.key };
    const asking = runCliWithAnswer('no', access, 'eval', '--id', id, '--delete');
    await expect(asking).rejects.toThrow(`Nothing was deleted: the answer is not ${id}.`);
    const { lines } = await runCli(access, 'eval', '--id', id, '--delete', '--yes');
    expect(lines).toEqual([
      `Deleted ${id}. Its files and rows are removed in the background, also after a restart of the stack.`,
    ]);
    await api.request('get', `/v1/evaluations/${id}`).expect(404);
    await api.app.get(RemovalsService).proceed();
    await remove().expect(204);
    api.workflows.goneWorkflow = undefined;
    expect(await dataSource.getRepository(Rollout).countBy({ submissionId: id })).toBe(0);
  });

  it('agentflow eval prints the table and writes it as CSV and Markdown', async () => {
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    await run(created.id);
    const [csv, markdown] = [join(directory, 'report.csv'), join(directory, 'report.md')];
    const files = ['--csv', csv, '--markdown', markdown];
    const { lines } = await runCli({ url: api.url, key: api.key }, 'eval', '--id', created.id, ...files);
    expect(lines.join('\n')).toMatch(/atlas +base +2 +2 +0\.500/);
    expect(lines.join('\n')).toMatch(/\+0\.500 +.*1\/0 of 2 +1\.0000/);
    const [header, ...rows] = (await readFile(csv, 'utf8')).trim().split('\r\n');
    expect(rows).toHaveLength(2);
    expect(rows[0].split(',')[header.split(',').indexOf('accuracy')]).toBe('0.5');
    expect(await readFile(markdown, 'utf8')).toContain('| atlas | base | 2 | 2 | 0.500 |');
    const printed = await runCli({ url: api.url, key: api.key }, 'eval', '--id', created.id, '--json');
    expect((JSON.parse(printed.lines.at(-1)!) as BenchmarkEvaluationDto).id).toBe(created.id);
  });

  it('agentflow eval tells how far it is, of all questions for all policies', async () => {
    const { body: created } = (await submit().expect(201)) as { body: BenchmarkEvaluationDto };
    const looked = jest.spyOn(api.app.get(BenchmarkEvaluationsService), 'get');
    const watching = runCli({ url: api.url, key: api.key }, 'eval', '--id', created.id);
    await until(() => Promise.resolve(looked.mock.results.length > 0));
    await looked.mock.results[0].value;
    await run(created.id);
    const { notes } = await watching;
    expect(notes).toContain('queued, 0 of at most 4 agent flows have ended');
  });
});

function reportOf(policies: [string, string]): EvaluationReport {
  const cell = (policy: string, correct: number): CellReport => ({
    benchmark: 'atlas',
    policy,
    maxTurns: 2,
    questions: 2,
    asked: 2,
    correct,
    failed: 0,
    outcomes: { answered: 2 },
    accuracy: { value: correct / 2, interval: [0, 1] },
    byFamily: { arithmetic: { asked: 2, correct, accuracy: correct / 2 } },
    usage: {
      turns: { value: 1, interval: [1, 1] },
      oneTurn: 1,
      toolMix: { calculator: 1 },
      tokens: { value: 200, interval: [200, 200] },
      totals: { turns: 2, tokens: 400, cost: 0, seconds: 0 },
    },
  });
  const comparison = {
    benchmark: 'atlas',
    maxTurns: 2,
    first: policies[0],
    second: policies[1],
    questions: 2,
    unpaired: 0,
    firstBetter: 0,
    secondBetter: 1,
    difference: { value: 0.5, interval: [0, 1] as [number, number] },
    test: 'mcnemar-exact' as const,
    pValue: 1,
  };
  return { cells: policies.map((policy, i) => cell(policy, i + 1)), comparisons: [comparison] };
}

function rolloutRow(submissionId: string) {
  return {
    flowId: `${submissionId}/0/0/0`,
    submissionId,
    purpose: 'evaluation' as const,
    step: 0,
    groupIndex: 0,
    rolloutIndex: 0,
    queryId: 'q-0',
    family: 'arithmetic',
    question: 'What is 1 plus 1?',
    outcome: 'answered' as const,
    reward: 1,
    answer: '2',
    turns: 1,
    tools: ['calculator'],
    memory: [],
  };
}
