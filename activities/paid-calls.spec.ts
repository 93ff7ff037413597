import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { AgentActivities, ExecuteTurnInput } from '../contracts/agent-activities.js';
import { flowSchema, type FlowConfig } from '../contracts/flow-config.js';
import { openArtifactStore } from '../infra/artifacts/open-artifact-store.js';
import type { LanguageModelRegistrations } from './engines/llm/language-models.js';
import { Spending, TrainingRun, Turn, UsageEntry } from '../infra/database/entities/index.js';
import { trainingRunRow } from '../infra/database/testing/training-run-row.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import { EmbeddedPolicyClient } from './engines/embedded-policy-client.js';
import { ProviderServer } from './engines/llm/testing/provider-server.js';
import { createAgentActivities } from './index.js';
import { parserOf } from './tools/json-schema-arguments.js';
import { ToolNotCalled, type Tool, type ToolOutcome } from './tools/tool.js';

const LLM = { engine: 'llm', model: 'large' } as const;
const ARGUMENTS = '{"reasoning": "so", "arguments": {"q": "x"}}';

/** The activities as a worker runs them, on PostgreSQL and a provider whose requests are counted. */
describe('paid calls of language models', () => {
  const server = new ProviderServer();
  let database: TestDatabase;
  let activities: AgentActivities;
  let runId: string;
  let toolCalls: number;
  let behave: (call: number, tool: { generate(prompt: string): Promise<string> }) => Promise<ToolOutcome>;

  const inputJsonSchema = { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] };
  const tool: Tool<Record<string, unknown>> = {
    name: 'fickle',
    title: 'Fickle',
    description: 'is out of order now and then',
    metadata: { limitations: [], bestPractices: [], demos: [] },
    inputJsonSchema,
    subGoalField: 'q',
    timeoutMs: 10_000,
    repeatable: true,
    asksModel: true,
    parse: parserOf(inputJsonSchema),
    run: (_, { generate }) => {
      toolCalls += 1;
      return behave(toolCalls, { generate: (prompt) => generate({ instruction: 'Answer.', prompt }) });
    },
  };

  /** The same, of which a second call could do harm. */
  const once: Tool = { ...tool, name: 'once', title: 'Once', repeatable: false, asksModel: false };

  beforeAll(async () => {
    process.env.TEST_PROVIDER_KEY = 'marked-provider-key-0123456789';
    database = await createTestDatabase();
    const registration = {
      provider: 'there',
      model: 'model-1',
      context: 32_768,
      output: 'json-schema',
      images: false,
      temperature: true,
      price: { input: 1, output: 1 },
    };
    activities = createAgentActivities({
      dataSource: database.dataSource,
      artifacts: openArtifactStore(pathToFileURL(tmpdir()).href),
      policyClient: new EmbeddedPolicyClient('http://127.0.0.1:1'),
      datasets: { atlas: { kind: 'made' } },
      languageModels: {
        providers: {
          there: {
            kind: 'openai-compatible',
            base_url: await server.start(),
            key: { env: 'TEST_PROVIDER_KEY' },
          },
        },
        language_models: { large: registration },
      } as unknown as LanguageModelRegistrations,
      operatorTools: { tools: [tool, once], sources: [] },
    });
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });
  beforeEach(() => {
    server.requests.length = 0;
    server.behave = () => ({ kind: 'reply', text: ARGUMENTS });
    runId = `run-${randomUUID()}`;
    toolCalls = 0;
    behave = async () => ({ result: 'done' });
  });

  const attempt = <Output>(work: () => Promise<Output>): Promise<Output> =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(work);

  function executeInput(changes: Partial<FlowConfig> & { budget?: FlowConfig['budget'] } = {}): ExecuteTurnInput {
    const config = flowSchema.parse({ executor: LLM, tool_engine: LLM, ...changes });
    return {
      flow: { flowId: `${runId}/1/0/0`, runId, runSeed: 5, purpose: 'train', step: 1, group: 0, rollout: 0 },
      query: { id: 'q', dataset: { name: 'atlas', seed: 7 }, family: 'f', question: 'What is it?' },
      model: 'tiny-random',
      cache: false,
      budget: config.budget,
      turn: 1,
      tool: 'fickle',
      subGoal: 'find x',
      module: config.executor,
      toolEngine: config.tool_engine,
    };
  }

  const spent = () => database.dataSource.getRepository(Spending).findOneBy({ submissionId: runId });
  const row = () => database.dataSource.getRepository(Turn).findOneBy({ flowId: `${runId}/1/0/0`, module: 'executor' });

  it('I15: one reply serves every retry of the tool that follows it in the same activity', async () => {
    behave = async (call) => {
      if (call < 5) throw new Error('out of order');
      return { result: `done at call ${call}` };
    };
    for (let failed = 1; failed < 5; failed += 1) {
      await expect(attempt(() => activities.executeTurn(executeInput()))).rejects.toThrow('out of order');
    }
    expect(await attempt(() => activities.executeTurn(executeInput()))).toMatchObject({ result: 'done at call 5' });
    expect(server.requests.length).toBe(1);
    expect(await spent()).toMatchObject({ calls: 1, tokens: 15 });
    expect((await row())?.calls).toHaveLength(1);
  });

  it('a reply is noted as used once, under the name of its model, whatever fails after it; what the cache gives is not', async () => {
    await database.dataSource.getRepository(TrainingRun).insert(trainingRunRow({ id: runId }));
    behave = async (call) => {
      if (call < 3) throw new Error('out of order');
      return { result: 'done' };
    };
    const first = { ...executeInput(), cache: true };
    const again = { ...first, flow: { ...first.flow, flowId: `${runId}/1/0/1`, rollout: 1 } };
    for (let failed = 1; failed < 3; failed += 1) {
      await expect(attempt(() => activities.executeTurn(first))).rejects.toThrow('out of order');
    }
    for (const input of [first, first, again]) await attempt(() => activities.executeTurn(input));
    expect(server.requests.length).toBe(1);
    const used = await database.dataSource
      .getRepository(UsageEntry)
      .find({ where: { submission: runId }, order: { id: 'ASC' } });
    expect(used.map(({ kind, name }) => [kind, name])).toEqual([
      ['language_model', 'large'],
      ['tool', null],
      ['tool', null],
    ]);
    const { tokens, money } = (await spent())!;
    const [{ promptTokens, completionTokens, cost }] = used;
    expect([promptTokens! + completionTokens!, cost]).toEqual([tokens, money]);
  });

  it('I15: what a tool was told by its language model is not asked again either, each of its questions for itself', async () => {
    behave = async (call, { generate }) => {
      const said = await Promise.all(['a', 'b', 'a'].map(generate));
      if (call < 3) throw new Error('out of order');
      return { result: said.join() };
    };
    server.behave = (_, index) => ({ kind: 'reply', text: index === 0 ? ARGUMENTS : `answer ${index}` });
    for (let failed = 1; failed < 3; failed += 1) {
      await expect(attempt(() => activities.executeTurn(executeInput()))).rejects.toThrow('out of order');
    }
    await attempt(() => activities.executeTurn(executeInput()));
    expect(server.requests.length).toBe(4);
    expect(await spent()).toMatchObject({ calls: 4, tokens: 60 });
  });

  it('I15: an attempt that was sent and failed counts in the budget, and the budget ends it', async () => {
    server.behave = () => ({ kind: 'refuse', status: 500 });
    const input = executeInput({ budget: { calls: 3 } });
    for (let sent = 1; sent <= 3; sent += 1) {
      await expect(attempt(() => activities.executeTurn(input))).rejects.toThrow(/did not answer/);
    }
    await expect(attempt(() => activities.executeTurn(input))).rejects.toMatchObject({ type: 'BudgetSpent' });
    expect(server.requests.length).toBe(3);
    expect(await spent()).toMatchObject({ calls: 3, tokens: 0, money: 0 });
  });

  it.each([
    ['none', undefined],
    ['null', null],
    ['negative ones', { prompt_tokens: -1, completion_tokens: -1, total_tokens: -2 }],
  ])('a budget of tokens counts four bytes for one if the provider says %s', async (_, usage) => {
    const choices = [{ index: 0, message: { role: 'assistant', content: ARGUMENTS }, finish_reason: 'stop' }];
    server.behave = () => ({
      kind: 'send',
      body: JSON.stringify({ id: '1', object: 'chat.completion', created: 1, model: 'm', choices, usage }),
    });
    const input = executeInput({ budget: { tokens: 10 } });
    await attempt(() => activities.executeTurn(input));
    const { tokens, money } = (await spent())!;
    const sent = JSON.stringify(server.requests[0].body.messages).length;
    expect(tokens).toBeGreaterThan(ARGUMENTS.length / 4 + 10);
    expect(tokens).toBeLessThan(sent / 4 + ARGUMENTS.length);
    expect(money).toBeCloseTo(tokens / 1e6);
    expect((await row())!.calls![0]).not.toHaveProperty('inputTokens');
    const second = { ...input, flow: { ...input.flow, flowId: `${runId}/1/0/1`, rollout: 1 } };
    await expect(attempt(() => activities.executeTurn(second))).rejects.toMatchObject({ type: 'BudgetSpent' });
  });

  it('a call that was never sent is not counted', async () => {
    await server.stop();
    const input = executeInput({ budget: { calls: 1 } });
    for (let refused = 1; refused <= 2; refused += 1) {
      await expect(attempt(() => activities.executeTurn(input))).rejects.toThrow(/did not answer/);
    }
    expect(await spent()).toMatchObject({ calls: 0 });
    await server.startAgain();
    await attempt(() => activities.executeTurn(input));
    expect(await spent()).toMatchObject({ calls: 1 });
  });

  it('calls at once stay within a budget of calls: each is counted before it is sent', async () => {
    const inputs = Array.from({ length: 12 }, (_, rollout) => {
      const input = executeInput({ budget: { calls: 5 } });
      return { ...input, flow: { ...input.flow, flowId: `${runId}/1/0/${rollout}`, rollout } };
    });
    const ends = await Promise.allSettled(inputs.map((input) => attempt(() => activities.executeTurn(input))));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(server.requests.length).toBe(5);
  });

  describe('and a tool that may not be repeated', () => {
    const input = () => ({ ...executeInput(), tool: 'once' });
    const UNKNOWN = {
      mistakeKind: 'outcome_unknown',
      mistake: expect.stringMatching(/^it is not known whether/),
      result: '',
    };

    it('I15: is called once, and its result kept', async () => {
      expect(await attempt(() => activities.executeTurn(input()))).toMatchObject({ result: 'done' });
      expect(await attempt(() => activities.executeTurn(input()))).toMatchObject({ result: 'done' });
      expect(toolCalls).toBe(1);
    });

    it('I15: is not called again by the attempt that follows a lost worker: that nobody knows is the outcome', async () => {
      const begun = new Promise<void>((resolve) => {
        behave = () => {
          resolve();
          return new Promise(() => undefined);
        };
      });
      const lost = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
      const losing = lost.run(() => activities.executeTurn(input()));
      await begun;
      const known = await attempt(() => activities.executeTurn(input()));
      expect(known).toMatchObject(UNKNOWN);
      expect(await attempt(() => activities.executeTurn(input()))).toEqual(known);
      expect(toolCalls).toBe(1);
      expect(server.requests.length).toBe(1);
      lost.cancel('CANCELLED');
      await expect(losing).rejects.toThrow();
    });

    it('is not called again after an error of which nobody knows what was done before it', async () => {
      behave = () => Promise.reject(new Error('connection reset by peer'));
      const execution = await attempt(() => activities.executeTurn(input()));
      expect(execution).toMatchObject({ ...UNKNOWN, reason: expect.stringMatching(/connection reset/) });
      expect(execution.mistake).not.toMatch(/connection/);
      expect(toolCalls).toBe(1);
    });

    it('I2: is called again after an error that says that nothing was done', async () => {
      behave = async (call) => {
        if (call === 1) throw new ToolNotCalled('not there');
        return { result: 'done' };
      };
      await expect(attempt(() => activities.executeTurn(input()))).rejects.toThrow('not there');
      expect(await attempt(() => activities.executeTurn(input()))).toMatchObject({ result: 'done' });
      expect(server.requests.length).toBe(1);
    });

    it('cannot ask a language model without saying that it does', async () => {
      behave = async (_, { generate }) => ({ result: await generate('What?') });
      await expect(attempt(() => activities.executeTurn(input()))).rejects.toMatchObject({ type: 'BadConfiguration' });
    });
  });

  it.each([
    ['a fraction that would be lost', '{"q":"x","n":12345678901234567890.5}', /has more digits than a number can hold/],
    ['digits that would be lost', '{"q":"x","n":1.2345678901234567891e19}', /has more digits than a number can hold/],
    ['a number beyond all', '{"q":"x","n":1e999}', /1e999.* is too large/],
    ['a number that would be rounded', '{"q":"x","n":9007199254740993}', /has more digits than a number can hold/],
    ['nesting without end', `{"q":"x","n":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, /nested deeper than 64 levels/],
    ['half a character', '{"q":"\\ud800"}', /half a character/],
    ['the character NUL', '{"q":"a\\u0000b"}', /U\+0000/],
    ['a key of JavaScript’s own', '{"q":"x","__proto__":{"polluted":true}}', /__proto__ is not allowed/],
    ['a key that comes twice', '{"q":"x","q":"y"}', /"q" comes twice/],
    ['a very long key', `{"q":"x","${'k'.repeat(5_000)}":1}`, /longer than 1000 characters/],
    ['a megabyte', `{"q":"${'x'.repeat(1_000_000)}"}`, /may have 131072/],
  ])('I16: %s in the arguments is the planner’s mistake, before the tool runs', async (_, text, words) => {
    server.behave = () => ({ kind: 'reply', text });
    const execution = await attempt(() => activities.executeTurn(executeInput()));
    expect(execution).toMatchObject({ mistakeKind: 'invalid_arguments', mistake: expect.stringMatching(words) });
    expect(toolCalls).toBe(0);
    expect(Buffer.byteLength(JSON.stringify(execution))).toBeLessThan(20_000);
    expect(server.requests.length).toBe(1);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('I16: ten megabytes of arguments are as good as cut off, and are not given to the tool', async () => {
    server.behave = () => ({ kind: 'reply', text: `{"arguments":{"q":"${'x'.repeat(10_000_000)}"}}` });
    const execution = await attempt(() => activities.executeTurn(executeInput()));
    expect(execution).toMatchObject({
      mistakeKind: 'unreadable_arguments',
      mistake: expect.stringContaining('cut off'),
    });
    expect(toolCalls).toBe(0);
    expect(Buffer.byteLength(JSON.stringify(execution))).toBeLessThan(20_000);
  });

  it('I16: whatever JSON a model writes for arguments, the turn is recorded, and what the tool got is what the row says', async () => {
    let got: unknown;
    behave = async () => ({ result: 'done' });
    const spy = jest.spyOn(tool, 'run').mockImplementation(async (input) => {
      got = input;
      return { result: 'done' };
    });
    const json = fc.jsonValue({ maxDepth: 6 }).map((value) => JSON.stringify(value));
    const hostile = fc.constantFrom(
      '1e999',
      '-1e400',
      '9007199254740993',
      '9223372036854775808',
      '1.7976931348623157e308',
      '1.2345678901234567891e19',
      '"\\ud800"',
      '"\\u0000"',
      '{"a":1,"a":2}',
      '{"__proto__":1}',
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(json, hostile), fc.string({ unit: 'binary' }), async (value, q) => {
        runId = `run-${randomUUID()}`;
        got = undefined;
        server.behave = () => ({ kind: 'reply', text: `{"arguments":{"q":${JSON.stringify(q)},"value":${value}}}` });
        const { mistakeKind } = await attempt(() => activities.executeTurn(executeInput()));
        const { command } = (await row())!.output as { command: string };
        if (mistakeKind === undefined) expect(JSON.parse(command)).toEqual(got);
        else expect([mistakeKind, got]).toEqual(['invalid_arguments', undefined]);
      }),
      { numRuns: 60 },
    );
    spy.mockRestore();
  });

  it('I16: whatever a tool gives back is recorded, NUL and half characters as U+FFFD', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        runId = `run-${randomUUID()}`;
        const given = `${text}\0 \ud800`;
        behave = async () => ({ result: given });
        const { result } = await attempt(() => activities.executeTurn(executeInput()));
        expect(result).toBe(given.replace(/\0|\p{Surrogate}/gu, '\uFFFD'));
      }),
      { numRuns: 40 },
    );
  });
});
