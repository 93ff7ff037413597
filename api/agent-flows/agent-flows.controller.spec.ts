import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { createApiKey } from '../../infra/database/api-keys.js';
import { AgentFlow, Policy, Rollout, TrainingRun } from '../../infra/database/entities/index.js';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { until } from '../../test/support/started-run.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import type { ApiErrorBody } from '../common/api-error.js';
import { BODY_BOUNDS } from '../common/body.middleware.js';
import { REQUEST_BOUNDS } from '../common/deadline.middleware.js';
import type { List } from '../common/list.dto.js';
import { OPERATOR } from '../dependencies.module.js';
import { MAX_YAML_BYTES } from '../../infra/documents/yaml-document.js';
import { TestApi } from '../testing/test-api.js';
import { AgentFlowsController } from './agent-flows.controller.js';
import type { AgentFlowDto, AgentFlowTraceDto } from './dto/agent-flow.dto.js';
import type { FlowEventDto } from './dto/flow-event.dto.js';
import { MAX_IMAGE_BYTES } from '../../contracts/images.js';
import { addTurns, completeFlow, RESULT } from './testing/flow-rows.js';

const QUESTION = { question: 'What is the area of Hexley times 7?', model: 'tiny-random' };
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A file of so many bytes that begins as a PNG does, in base64. */
function pictureOf(bytes: number): string {
  const content = Buffer.alloc(bytes);
  Buffer.from(PIXEL, 'base64').copy(content);
  return content.toString('base64');
}

describe(AgentFlowsController, () => {
  let api: TestApi;
  let policy: string;

  beforeAll(async () => {
    api = await TestApi.start();
    const { dataSource } = api.database;
    const run = trainingRunRow();
    await dataSource.getRepository(TrainingRun).insert(run);
    policy = await api.commitPolicy(run.id, 3, 'ab');
  });
  beforeEach(() => void (api.workflows.calls.length = 0));
  afterAll(async () => api.stop());

  const post = (body: object) => api.request('post', '/v1/agent_flows').send(body);
  const ask = async (body: object = {}): Promise<AgentFlowDto> =>
    (await post({ ...QUESTION, ...body }).expect(201)).body as AgentFlowDto;
  const get = async (id: string) =>
    (await api.request('get', `/v1/agent_flows/${id}`).expect(200)).body as AgentFlowTraceDto;
  const events = async (id: string, query = '') =>
    ((await api.request('get', `/v1/agent_flows/${id}/events${query}`).expect(200)).body as List<FlowEventDto>).data;
  const row = (id: string) => api.database.dataSource.getRepository(AgentFlow).findOneByOrFail({ id });

  it('records a question with every default, as queued, and starts its workflow', async () => {
    const flow = await ask({ max_turns: 4 });
    expect(flow).toMatchObject({
      object: 'agent_flow',
      status: 'queued',
      model: 'tiny-random',
      policy: null,
      seed: null,
      dataset: { name: 'atlas', seed: 7 },
      flow: { max_turns: 4, planner: { engine: 'policy' }, verifier: { engine: 'scripted' } },
      answer: null,
    });
    expect(api.workflows.calls).toEqual([['start', flow.id]]);
    expect(await get(flow.id)).toMatchObject({ ...flow, memory: null, turn_records: [], usage: { calls: 0 } });
  });

  it('takes the first registered model where none is named', async () => {
    const { body } = await post({ question: 'Why?' }).expect(201);
    expect(body).toMatchObject({ model: 'smollm2-135m-instruct' });
  });

  it('accepts what the CLI sends where no configuration is named', async () => {
    const file = fileURLToPath(new URL('../../examples/solve.yaml', import.meta.url));
    await post({ ...(parse(readFileSync(file, 'utf8')) as object), question: 'Why?' }).expect(201);
  });

  it('I11: resolves a policy of the project to its sha256 and model, once', async () => {
    const { body } = await post({ question: 'Why?', policy }).expect(201);
    expect(body).toMatchObject({ policy, policy_sha256: 'ab', model: 'tiny-random' });
    const key = await createApiKey(api.database.dataSource, 'other');
    const refused = await api.request('post', '/v1/agent_flows', key).send({ question: 'Why?', policy }).expect(400);
    expect((refused.body as ApiErrorBody).error.code).toBe('unknown_policy');
  });

  it('refuses a policy that was collected, also while it is asked for, and then records nothing', async () => {
    const { dataSource } = api.database;
    const [runId] = policy.split('@');
    const doomed = await api.commitPolicy(runId, 4, 'cd');
    const { uri } = await dataSource.getRepository(Policy).findOneByOrFail({ runId, step: 4 });
    const before = await dataSource.getRepository(AgentFlow).count();
    let asking!: Promise<{ body: unknown }>;
    // What a collection does: what would claim the policy waits, and then finds it gone.
    await dataSource.transaction(async (collection) => {
      await collection.query('LOCK TABLE training_runs, agent_flows, benchmark_evaluations IN SHARE MODE');
      asking = post({ question: 'Why?', policy: doomed }).expect(400).then();
      const waiting = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'agent_flows'::regclass`;
      await until(async () => (await dataSource.query<unknown[]>(waiting)).length > 0);
      await rm(new URL(uri), { recursive: true });
    });
    expect(((await asking).body as ApiErrorBody).error).toMatchObject({ code: 'policy_collected', param: 'policy' });
    expect(await dataSource.getRepository(AgentFlow).count()).toBe(before);
  });

  it.each([
    ['no question', { question: ' ' }, 'question'],
    ['a question that cannot be seen', { question: '\u200b\u2060 \u{e0020}\u00ad\ufeff' }, 'question'],
    ['a tool that is not registered', { flow: { tools: ['sledgehammer'] } }, 'flow.tools[0]'],
    [
      'a language model that is not registered',
      { flow: { verifier: { engine: 'llm', model: 'gpt' } } },
      'flow.verifier.model',
    ],
    [
      'a reply as long as the context',
      { flow: { planner: { engine: 'policy', max_tokens: 4096 } } },
      'flow.planner.max_tokens',
    ],
    ['a dataset that is not registered', { dataset: { name: 'atlantis' } }, 'dataset.name'],
    ['an address in the place of a name', { model: 'https://x.test/m' }, 'model'],
    ['an unknown key', { maxturns: 3 }, 'maxturns'],
    ['too many turns', { max_turns: 51 }, 'max_turns'],
    ['a policy that is not there', { policy: 'run-none@1' }, 'policy'],
    ['a policy that does not plan', { policy: 'run-none@1', flow: { planner: { engine: 'scripted' } } }, 'policy'],
    ['a judge of an unknown truth', { flow: { scoring: { judge: { model: 'judge' } } } }, 'flow.scoring.judge'],
    ['an answer that nobody decides', { flow: { scoring: { undecided: 'exclude' } } }, 'flow.scoring.undecided'],
    ['a reward where nothing is trained', { flow: { scoring: { reward: 'f1' } } }, 'flow.scoring.reward'],
    ['pictures that nobody looks at', { images: [{ media_type: 'image/png', data: PIXEL }] }, 'images'],
  ])('I12: refuses %s, and records nothing', async (_, change, param) => {
    const { dataSource } = api.database;
    const before = await dataSource.getRepository(AgentFlow).count();
    const { body } = await post({ ...QUESTION, ...change }).expect(400);
    const { param: first, issues } = (body as ApiErrorBody).error;
    expect(issues?.map((issue) => issue.param) ?? [first]).toContain(param);
    expect(await dataSource.getRepository(AgentFlow).count()).toBe(before);
  });

  it('refuses a policy of another model', async () => {
    const { body } = await post({ question: 'Why?', policy, model: 'smollm2-135m-instruct' }).expect(400);
    expect((body as ApiErrorBody).error).toMatchObject({ code: 'wrong_model', param: 'policy' });
  });

  it('keeps pictures in the artifact store where a language model takes them', async () => {
    const operator = api.app.get<{ language_models: Record<string, unknown> }>(OPERATOR);
    operator.language_models['seeing'] = { images: true };
    const flow = { verifier: { engine: 'llm', model: 'seeing' } };
    const { id, images } = await ask({ flow, images: [{ media_type: 'image/png', data: PIXEL }] });
    delete operator.language_models['seeing'];
    const [stored] = (await row(id)).images;
    expect((await readFile(new URL(stored.uri))).toString('base64')).toBe(PIXEL);
    expect(images).toEqual([{ media_type: 'image/png', sha256: stored.sha256 }]);
  });

  it.each([
    [
      'a picture of another type',
      { media_type: 'image/gif', data: PIXEL },
      'media_type',
      /is not what the data is: image\/png/,
    ],
    ['what is no picture', { media_type: 'image/png', data: 'AAAA' }, 'data', /is no picture of image\/png/],
    ['what is not base64', { media_type: 'image/png', data: '/no/path%' }, 'data', /base64/],
    [
      'a picture of 4 MiB and a byte',
      { media_type: 'image/png', data: pictureOf(MAX_IMAGE_BYTES + 1) },
      'data',
      /larger than/,
    ],
    ['a picture of 5 MiB', { media_type: 'image/png', data: pictureOf(5 * 1024 * 1024) }, 'data', /larger than/],
    [
      'an address in the place of a picture',
      { media_type: 'image/png', url: 'https://x.test/a.png' },
      'url',
      /unknown key/,
    ],
  ])('refuses %s, and says so in few words', async (_, image, key, message) => {
    const { body, text } = await post({ ...QUESTION, images: [image] }).expect(400);
    expect((body as ApiErrorBody).error.issues).toContainEqual({
      param: `images[0].${key}`,
      message: expect.stringMatching(message),
    });
    expect(text.length).toBeLessThan(1500);
  });

  it('refuses a question in YAML that is as large as pictures in JSON may be: parsing it would block the process', async () => {
    const yaml = `question: ${'x'.repeat(MAX_YAML_BYTES)}`;
    const { body } = await api
      .request('post', '/v1/agent_flows')
      .set('Content-Type', 'application/yaml')
      .send(yaml)
      .expect(413);
    expect((body as ApiErrorBody).error.message).toContain(String(MAX_YAML_BYTES));
  });

  it('takes four pictures of 4 MiB, and not five', async () => {
    // How long they take to arrive is the machine's affair.
    jest.replaceProperty(BODY_BOUNDS, 'arrivalMs', 60_000);
    jest.replaceProperty(REQUEST_BOUNDS, 'deadlineMs', 60_000);
    const image = { media_type: 'image/png', data: pictureOf(MAX_IMAGE_BYTES) };
    const accepted = await post({ ...QUESTION, images: Array(4).fill(image) }).expect(400);
    expect((accepted.body as ApiErrorBody).error.issues?.map(({ message }) => message)).toEqual([
      expect.stringContaining('no module of the flow asks a language model that takes pictures'),
    ]);
    const { body } = await post({ ...QUESTION, images: Array(5).fill({ ...image, data: PIXEL }) }).expect(400);
    expect((body as ApiErrorBody).error.issues).toMatchObject([{ param: 'images' }]);
    jest.restoreAllMocks();
  });

  it('gives the same flow for the same idempotency key, and refuses another body with it', async () => {
    const send = (body: object) => post(body).set('Idempotency-Key', 'once');
    const { body: first } = await send(QUESTION).expect(201);
    const { body: again } = await send(QUESTION).expect(200);
    expect((again as AgentFlowDto).id).toBe((first as AgentFlowDto).id);
    expect(api.workflows.calls).toHaveLength(1);
    await send({ ...QUESTION, question: 'Why not?' }).expect(409);
  });

  it('keeps a flow queued where Temporal does not answer', async () => {
    api.workflows.failure = new Error('connection refused');
    try {
      expect((await ask()).status).toBe('queued');
    } finally {
      delete api.workflows.failure;
    }
  });

  it('lists the flows of the project, newest first, in pages', async () => {
    const [older, newer] = [await ask(), await ask()];
    const first = (await api.request('get', '/v1/agent_flows?limit=1').expect(200)).body as List<AgentFlowDto>;
    expect(first).toMatchObject({ has_more: true, last_id: newer.id });
    const next = (await api.request('get', `/v1/agent_flows?limit=1&after=${newer.id}`).expect(200)).body;
    expect(next).toMatchObject({ data: [{ id: older.id }] });
  });

  it('tells what the rows of a flow say, each part once and in order, and resumes after any of them', async () => {
    const { id } = await ask();
    const { dataSource } = api.database;
    await completeFlow(dataSource, id);
    const all = await events(id);
    expect(all.map(({ type, data }) => [type, data['turn']].filter(Boolean).join(' '))).toEqual([
      'flow.queued',
      'flow.analysis',
      'turn.plan 1',
      'turn.tool_call 1',
      'turn.tool_result 1',
      'turn.verdict 1',
      'turn.plan 2',
      'turn.verdict 2',
      'flow.answer',
      'flow.completed',
    ]);
    expect(all[3].data).toEqual({ turn: 1, tool: 'lookup', command: '{"query":"area of Hexley"}' });
    expect(all[6].data).toMatchObject({ mistake: 'no tool named', mistake_kind: 'unreadable_plan' });
    const usage = { calls: 2, prompt_tokens: 13, completion_tokens: 4, cost: 0.25 };
    expect(all.at(-1)?.data).toMatchObject({ outcome: 'answered', answer: '30184', usage });
    for (const [index, { id: last }] of all.entries()) {
      expect(await events(id, `?after=${last}`)).toEqual(all.slice(index + 1));
    }
    const streamed = await api
      .request('get', `/v1/agent_flows/${id}/events`)
      .set('Accept', 'text/event-stream')
      .set('Last-Event-ID', all[7].id)
      .expect(200);
    expect(streamed.text.match(/^id: .*$/gm)).toEqual([`id: ${all[8].id}`, `id: ${all[9].id}`]);
    await api
      .request('get', `/v1/agent_flows/${id}/events`)
      .set('Accept', 'text/event-stream')
      .set('Last-Event-ID', all[9].id)
      .expect(204);
  });

  it('I3: leaves out what a lost attempt wrote after the end', async () => {
    const { id } = await ask();
    const { dataSource } = api.database;
    await writeFlowStatus(dataSource, { flowId: id, version: 2, status: 'cancelled' });
    await addTurns(dataSource, id);
    expect((await events(id)).map(({ type }) => type)).toEqual(['flow.queued', 'flow.cancelled']);
  });

  it('tells the same whatever the clock does: it may be set back, or forward, by an hour at any moment', async () => {
    const { id } = await ask();
    const { dataSource } = api.database;
    await completeFlow(dataSource, id);
    const told = await events(id);
    const { turn_records } = await get(id);
    for (const shift of ['1 hour', '-1 hour']) {
      await dataSource.query(
        `UPDATE turns SET created_at = created_at + $2::interval * (1 + turn) WHERE flow_id = $1`,
        [id, shift],
      );
      const timeless = (list: FlowEventDto[]) => list.map(({ created_at: _, ...event }) => event);
      expect(timeless(await events(id))).toEqual(timeless(told));
      expect((await get(id)).turn_records.map(({ module, turn }) => [module, turn])).toEqual(
        turn_records.map(({ module, turn }) => [module, turn]),
      );
    }
    expect(told.map(({ type }) => type)).toContain('turn.plan');
  });

  it('lists the newest first although the clock was set back before it was asked, and pages lose none', async () => {
    const { dataSource } = api.database;
    const ids: string[] = [];
    for (const hours of [0, 5, 1]) {
      const { id } = await ask();
      ids.unshift(id);
      await dataSource.query(`UPDATE agent_flows SET created_at = now() - $2::interval WHERE id = $1`, [
        id,
        `${hours} hours`,
      ]);
    }
    const listed: string[] = [];
    for (let after = ''; listed.length < 3; after = `&after=${listed.at(-1)}`) {
      const { body } = await api.request('get', `/v1/agent_flows?limit=1${after}`).expect(200);
      listed.push(...(body as List<AgentFlowDto>).data.map(({ id }) => id));
    }
    expect(listed).toEqual(ids);
  });

  it('gives the trace: prompts, replies, tool calls, memory, times, usage, template hashes', async () => {
    const { id } = await ask();
    const { dataSource } = api.database;
    await completeFlow(dataSource, id);
    const memory = [
      {
        turn: 1,
        mistake: 'no tool named',
        mistakeKind: 'unknown_tool' as const,
        verdict: 'CONTINUE' as const,
        critique: '',
      },
      { turn: 2, tool: 'lookup', result: '4312', verdict: 'STOP' as const, critique: 'a number' },
    ];
    await dataSource.getRepository(Rollout).insert({
      flowId: id,
      submissionId: id,
      purpose: 'ask',
      step: 0,
      groupIndex: 0,
      rolloutIndex: 0,
      queryId: id,
      family: 'asked',
      question: QUESTION.question,
      outcome: 'answered',
      turns: 2,
      tools: ['lookup', 'none'],
      memory,
    });
    const trace = await get(id);
    expect(trace).toMatchObject({ outcome: 'answered', answer: '30184', turns: 2, tools: ['lookup', 'none'], memory });
    expect(trace.turn_records.map(({ module, turn }) => `${module} ${turn}`)).toEqual([
      'query_analysis 0',
      'planner 1',
      'executor 1',
      'verifier 1',
      'planner 2',
      'verifier 2',
      'generator 0',
    ]);
    expect(trace.turn_records[3].calls).toMatchObject([
      {
        model: 'a-model',
        reply: 'STOP',
        template: 'cafe',
        cost: 0.25,
        prompt_tokens: 10,
        completion_tokens: 3,
        seconds: 1.5,
      },
    ]);
  });

  it('streams the flow in answer to its question', async () => {
    const { dataSource } = api.database;
    const find = () => dataSource.getRepository(AgentFlow).findOneBy({ question: 'Is it streamed?' });
    const answered = post({ ...QUESTION, question: 'Is it streamed?' })
      .set('Accept', 'text/event-stream')
      .expect(200)
      .then(({ headers, text }) => ({ location: headers['location'], text }));
    await until(async () => (await find()) !== null);
    const flowId = (await find())!.id;
    await completeFlow(dataSource, flowId);
    const { location, text } = await answered;
    expect(location).toBe(`/v1/agent_flows/${flowId}`);
    expect(text.match(/^event: .*$/gm)).toHaveLength(10);
  });

  it('tells of a pause for as long as it lasts, after all that was told before, and resumes', async () => {
    const { id } = await ask();
    const { dataSource } = api.database;
    await writeFlowStatus(dataSource, { flowId: id, version: 1, status: 'running' });
    const { started_at } = await get(id);
    await addTurns(dataSource, id);
    const failure = { type: 'BudgetSpent', message: 'The budget is spent: 3 of 3 calls.' };
    await writeFlowStatus(dataSource, { flowId: id, version: 2, status: 'paused', failure });
    const told = await events(id);
    expect(told.at(-1)).toMatchObject({ type: 'flow.paused', data: { failure } });
    expect(told.map(({ sequence }) => sequence)).toEqual(told.map(({ sequence }) => sequence).sort((a, b) => a - b));
    expect(await events(id, `?after=${told.at(-1)?.id}`)).toEqual([]);
    await writeFlowStatus(dataSource, { flowId: id, version: 4, status: 'paused', failure });
    expect(await events(id, `?after=${told.at(-1)?.id}`)).toMatchObject([{ type: 'flow.paused' }]);

    api.workflows.calls.length = 0;
    await api.request('post', `/v1/agent_flows/${id}/resume`).expect(200);
    expect(api.workflows.calls).toEqual([['resume', id]]);
    await writeFlowStatus(dataSource, { flowId: id, version: 5, status: 'running' });
    expect(await events(id)).toEqual(told.slice(0, -1));
    expect(await get(id)).toMatchObject({ status: 'running', failure: null, paused_at: null, started_at });
    const result = { ...RESULT, flowId: id };
    await writeFlowStatus(dataSource, { flowId: id, version: 6, status: 'completed', result });
    expect((await events(id, `?after=${told.at(-1)?.id}`)).map(({ type }) => type)).toEqual(['flow.completed']);
    await api.request('post', `/v1/agent_flows/${id}/resume`).expect(409);
  });

  it('cancels what has not ended, and only that', async () => {
    const { id } = await ask();
    await writeFlowStatus(api.database.dataSource, { flowId: id, version: 1, status: 'running' });
    api.workflows.calls.length = 0;
    await api.request('post', `/v1/agent_flows/${id}/cancel`).expect(200);
    expect(api.workflows.calls).toEqual([['cancel', id]]);
    await writeFlowStatus(api.database.dataSource, { flowId: id, version: 2, status: 'cancelled' });
    const { body } = await api.request('post', `/v1/agent_flows/${id}/cancel`).expect(409);
    expect((body as ApiErrorBody).error.code).toBe('flow_ended');
    expect(await writeFlowStatus(api.database.dataSource, { flowId: id, version: 1, status: 'running' })).toBe(false);
  });

  it("shows nothing of another project's flows", async () => {
    const { id } = await ask();
    const key = await createApiKey(api.database.dataSource, 'other');
    for (const path of [id, `${id}/events`]) await api.request('get', `/v1/agent_flows/${path}`, key).expect(404);
    for (const verb of ['cancel', 'resume']) {
      await api.request('post', `/v1/agent_flows/${id}/${verb}`, key).expect(404);
    }
    expect((await api.request('get', '/v1/agent_flows', key).expect(200)).body).toMatchObject({ data: [] });
  });
});
