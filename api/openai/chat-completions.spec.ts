import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import OpenAI, { APIError } from 'openai';
import { AgentFlow, TrainingRun } from '../../infra/database/entities/index.js';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import { trainingRunRow } from '../../infra/database/testing/training-run-row.js';
import { until } from '../../test/support/started-run.js';
import { addTurns } from '../agent-flows/testing/flow-rows.js';
import { STREAM_BOUNDS } from '../events/sse-writer.js';
import { WAKEUP_BOUNDS } from '../events/wakeups.service.js';
import { WAIT_BOUNDS } from './flow-answers.service.js';
import { AnsweringApi } from './testing/answering-api.js';

const MODEL = 'smollm2-135m-instruct';
const messages = [{ role: 'user' as const, content: 'What is the area of Hexley times 7?' }];

describe('chat completions, asked by the official client of Node', () => {
  let answering: AnsweringApi;
  let client: OpenAI;
  let policy: string;

  beforeAll(async () => {
    answering = await AnsweringApi.start();
    client = new OpenAI({ ...answering.client, maxRetries: 0 });
    const run = trainingRunRow({
      config: runConfigSchema.parse({
        model: 'tiny-random',
        steps: 2,
        dataset: { name: 'atlas', seed: 11 },
        flow: { max_turns: 5, tools: ['lookup'], scoring: { reward: 'f1' } },
      }),
    });
    await answering.api.database.dataSource.getRepository(TrainingRun).insert(run);
    policy = await answering.api.commitPolicy(run.id, 3, 'ab');
  });
  beforeEach(() => {
    answering.work = (id) => answering.complete(id);
    answering.started.length = 0;
  });
  afterAll(async () => answering.api.stop());

  const flows = () => answering.api.database.dataSource.getRepository(AgentFlow);
  const status = (flowId: string, change: object) =>
    writeFlowStatus(answering.api.database.dataSource, { flowId, ...change } as never);
  const refusal = async (asking: Promise<unknown>): Promise<APIError> => {
    const error = await asking.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(APIError);
    return error as APIError;
  };

  it('answers with the answer of one agent flow, its usage, and its id in a field and a header', async () => {
    const { data, response } = await client.chat.completions.create({ model: MODEL, messages }).withResponse();
    expect(answering.started).toEqual([data.id]);
    expect(response.headers.get('agent-flow-id')).toBe(data.id);
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: MODEL,
      choices: [{ index: 0, message: { role: 'assistant', content: '30184', refusal: null }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 13, completion_tokens: 4, total_tokens: 17 },
      agent_flow: { id: data.id, outcome: 'answered', turns: 2 },
    });
    expect(Number.isInteger(data.created)).toBe(true);
    const { question } = await flows().findOneByOrFail({ id: data.id });
    expect(question).toBe(messages[0].content);
  });

  it('asks a policy in the flow that its run trains it in, and says which policy an alias was', async () => {
    const [run] = policy.split('@');
    const { id, model } = await client.chat.completions.create({ model: `${run}@latest`, messages, seed: 5 });
    expect(model).toBe(policy);
    expect(await flows().findOneByOrFail({ id })).toMatchObject({
      policyName: policy,
      policySha256: 'ab',
      model: 'tiny-random',
      dataset: { name: 'atlas', seed: 11 },
      seed: 5,
      config: { max_turns: 5, tools: ['lookup'], scoring: { reward: 'exact' } },
    });
  });

  it('streams the role, the turns as they happen, the answer, a chunk that finishes, and usage without choices', async () => {
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const usage = chunks.pop();
    const finish = chunks.pop();
    expect(usage).toMatchObject({ choices: [], usage: { total_tokens: 17 } });
    expect(finish?.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]);
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' });
    expect(chunks.every((chunk) => chunk.usage === null && chunk.choices[0].finish_reason === null)).toBe(true);
    const deltas = chunks.map((chunk) => chunk.choices[0].delta as { content?: string; reasoning_content?: string });
    expect(deltas.map(({ content = '' }) => content).join('')).toBe('30184');
    expect(deltas.at(-1)).toEqual({ content: '30184' });
    expect(deltas.map(({ reasoning_content: text = '' }) => text).join('')).toBe(
      'Analysis: a product\nTurn 1, plan: Lookup: area of Hexley\nTurn 1, lookup: {"query":"area of Hexley"}\n' +
        'Turn 1, result: 4312\nTurn 1, verdict: CONTINUE: compute\nTurn 2, plan: no tool named\n' +
        'Turn 2, verdict: STOP: it will do\n',
    );
    expect(new Set([...chunks, finish, usage].map((chunk) => chunk?.id))).toEqual(new Set(answering.started));
  });

  it('sends no usage if it is not asked for', async () => {
    const stream = await client.chat.completions.create({ model: MODEL, messages, stream: true });
    for await (const chunk of stream) {
      expect(chunk).not.toHaveProperty('usage');
      expect(chunk.choices).toHaveLength(1);
    }
  });

  it('keeps a silent stream alive with a comment that no client takes for an event', async () => {
    jest.replaceProperty(STREAM_BOUNDS, 'heartbeatMs', 0);
    jest.replaceProperty(WAKEUP_BOUNDS, 'rarer', 1);
    answering.work = () => Promise.resolve();
    const response = await fetch(`${answering.client.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${answering.client.apiKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ model: MODEL, messages, stream: true }),
    });
    let raw = '';
    for await (const bytes of response.body!) {
      raw += Buffer.from(bytes as Uint8Array).toString();
      if (raw.endsWith(': heartbeat\n')) {
        jest.restoreAllMocks();
        await answering.complete(answering.started[0]);
      }
    }
    expect(raw).toMatch(/\n\n(: heartbeat\n)+data: /);
    expect(raw).not.toMatch(/heartbeat\n\n|^id:/m);
    expect(raw.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it.each([
    ['failed', { status: 'failed', failure: { type: 'Outage', message: 'nobody answers' } }, 'asks anew'],
    ['paused', { status: 'paused', failure: { type: 'BudgetSpent', message: 'all spent' } }, '/resume'],
    ['cancelled', { status: 'cancelled' }, 'GET /v1/agent_flows/'],
  ])('says of a flow that was %s which it is and how to go on, streamed or not', async (what, end, next) => {
    answering.work = async (id) => {
      await status(id, { version: 1, status: 'running' });
      await status(id, { version: 2, ...end });
    };
    const whole = await refusal(client.chat.completions.create({ model: MODEL, messages }));
    expect(whole).toMatchObject({ status: 400, code: `agent_flow_${what}`, type: 'server_error' });
    expect(whole.message).toContain(answering.started[0]);
    expect(whole.message).toContain(next);
    expect(whole.headers?.get('x-should-retry')).toBe('false');

    const streamed = async () => {
      const stream = await client.chat.completions.create({ model: MODEL, messages, stream: true });
      for await (const chunk of stream) expect(chunk.choices[0].finish_reason).toBeNull();
    };
    const told = await refusal(streamed());
    expect(told.code).toBe(`agent_flow_${what}`);
    expect(told.message).toContain(answering.started[1]);
  });

  describe('a request that is sent again', () => {
    /** A client whose first answer gets lost on the way. */
    const unlucky = (headers = {}) => {
      let lost = false;
      const fetchOnce: typeof fetch = async (url, init) => {
        const response = await fetch(url, init);
        if (lost) return response;
        lost = true;
        await response.body?.cancel();
        throw new TypeError('fetch failed');
      };
      return new OpenAI({ ...answering.client, fetch: fetchOnce, defaultHeaders: headers });
    };

    it('joins its flow although the client sends no Idempotency-Key', async () => {
      const { id } = await unlucky().chat.completions.create({ model: MODEL, messages });
      expect(answering.started).toEqual([id]);
    });

    it('joins a flow that is still running', async () => {
      answering.work = () => Promise.resolve();
      jest.replaceProperty(WAIT_BOUNDS, 'answerMs', 300);
      const asking = new OpenAI({ ...answering.client, maxRetries: 5 }).chat.completions.create({
        model: MODEL,
        messages,
      });
      await until(() => Promise.resolve(answering.started.length > 0));
      jest.restoreAllMocks();
      await answering.complete(answering.started[0]);
      expect((await asking).id).toBe(answering.started[0]);
      expect(answering.started).toHaveLength(1);
    });

    it('says that the flow goes on if the wait is over, and which it is', async () => {
      answering.work = () => Promise.resolve();
      jest.replaceProperty(WAIT_BOUNDS, 'answerMs', 50);
      const error = await refusal(client.chat.completions.create({ model: MODEL, messages }));
      jest.restoreAllMocks();
      expect(error).toMatchObject({ status: 400, code: 'agent_flow_running' });
      expect(error.headers?.get('x-should-retry')).toBe('true');
      expect(error.message).toContain(answering.started[0]);
    });

    it('I11: joins its flow also if its alias names another policy by now', async () => {
      const [run] = policy.split('@');
      const headers = { 'Idempotency-Key': 'alias-1' };
      const body = { model: `${run}@latest`, messages };
      const first = await client.chat.completions.create(body, { headers });
      await answering.api.commitPolicy(run, 4, 'cd');
      const second = await client.chat.completions.create(body, { headers });
      expect(second).toMatchObject({ id: first.id, model: policy });
      const third = await client.chat.completions.create(body);
      expect(third.model).toBe(`${run}@4`);
    });

    it('is refused if its Idempotency-Key was used with another body', async () => {
      const headers = { 'Idempotency-Key': 'one-key' };
      await client.chat.completions.create({ model: MODEL, messages }, { headers });
      const other = { model: MODEL, messages: [{ role: 'user' as const, content: 'Why?' }] };
      const error = await refusal(client.chat.completions.create(other, { headers }));
      expect(error).toMatchObject({ status: 409, code: 'idempotency_key_reused' });
    });

    it('is a flow of its own if nothing says that it is the same', async () => {
      await client.chat.completions.create({ model: MODEL, messages });
      await client.chat.completions.create({ model: MODEL, messages });
      expect(new Set(answering.started).size).toBe(2);
    });
  });

  it('lets a flow go on whose client has left', async () => {
    answering.work = (id) => addTurns(answering.api.database.dataSource, id);
    const leaving = new AbortController();
    const asking = client.chat.completions.create({ model: MODEL, messages }, { signal: leaving.signal });
    await until(() => Promise.resolve(answering.started.length > 0));
    leaving.abort();
    await expect(asking).rejects.toThrow('aborted');
    expect(answering.api.workflows.calls).not.toContainEqual(['cancel', answering.started[0]]);
    expect((await flows().findOneByOrFail({ id: answering.started[0] })).status).toBe('queued');
  });

  it.each([
    ['temperature', { temperature: 0.7 }],
    ['top_p', { top_p: 0.5 }],
    ['n', { n: 2 }],
    ['logprobs', { logprobs: true }],
    ['tools', { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] }],
    ['tool_choice', { tool_choice: 'required' }],
    ['stop', { stop: ['\n'] }],
    ['logit_bias.50256', { logit_bias: { '50256': -100 } }],
    ['response_format.type', { response_format: { type: 'json_object' } }],
    ['reasoning_effort', { reasoning_effort: 'high' }],
    ['audio', { audio: { voice: 'alloy', format: 'wav' } }],
    ['a_parameter_of_tomorrow', { a_parameter_of_tomorrow: 1 }],
  ])('refuses %s by name', async (param, body) => {
    const error = await refusal(client.chat.completions.create({ model: MODEL, messages, ...body } as never));
    expect(error).toMatchObject({ status: 400, code: 'unsupported', param, type: 'invalid_request_error' });
    expect(answering.started).toEqual([]);
  });

  it.each([
    ['a system message', [{ role: 'system', content: 'Be brief.' }, ...messages], 'messages[0].role'],
    ['a conversation', [...messages, { role: 'assistant', content: '7' }, ...messages], 'messages[1].role'],
    ['two questions', [...messages, ...messages], 'messages[0]'],
    ['no message', [], 'messages'],
    ['an empty question', [{ role: 'user', content: ' ' }], 'messages[0].content'],
    [
      'an address of a picture',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test/a.png' } }] }],
      'messages[0].content[0].image_url.url',
    ],
    [
      'a picture that nobody looks at',
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            {
              type: 'image_url',
              image_url: { url: `data:image/png;base64,${Buffer.from('89504e470d0a1a0a', 'hex').toString('base64')}` },
            },
          ],
        },
      ],
      'messages[0].content',
    ],
  ])('refuses %s by its place', async (_, refused, param) => {
    const error = await refusal(client.chat.completions.create({ model: MODEL, messages: refused as never }));
    expect(error).toMatchObject({ status: 400, param, code: 'invalid_request' });
    expect(answering.started).toEqual([]);
  });

  it('takes what clients send unasked', async () => {
    await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Why?' }], name: 'me' }],
      temperature: 1,
      top_p: 1,
      n: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      max_tokens: 100,
      stop: null,
      tools: [],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      response_format: { type: 'text' },
      logprobs: false,
      logit_bias: {},
      user: 'me',
      metadata: { trace: '1' },
      store: false,
      service_tier: 'auto',
      stream: false,
    });
    expect(answering.started).toHaveLength(1);
  });

  it.each(['gpt-5', 'run-none@1', 'run-none@latest', 'policy:run-none@1', '../x@1'])(
    'says that there is no model %s',
    async (model) => {
      const error = await refusal(client.chat.completions.create({ model, messages }));
      expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    },
  );

  it("answers errors outside of routes in OpenAI's shape too", async () => {
    const stranger = new OpenAI({ ...answering.client, apiKey: 'af-wrong', maxRetries: 0 });
    expect(await refusal(stranger.chat.completions.create({ model: MODEL, messages }))).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    });
    expect(await refusal(client.embeddings.create({ model: MODEL, input: 'x' }))).toMatchObject({
      status: 404,
      code: 'not_found',
    });
  });
});
