import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ProviderServer, type Behaviour } from '../activities/engines/llm/testing/provider-server.js';
import { createAgentActivities } from '../activities/index.js';
import { openArtifactStore } from '../infra/artifacts/open-artifact-store.js';
import { runSettings } from '../infra/config/run-settings.js';
import { CachedReply, Rollout, Spending, Turn } from '../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import { EmbeddedPolicyClient } from '../activities/engines/embedded-policy-client.js';
import { flowSchema } from '../contracts/flow-config.js';
import type { AgentFlowInput, AgentFlowResult } from '../contracts/flow.js';
import { AGENT_TASK_QUEUE, providerTaskQueue } from '../contracts/task-queues.js';
import type { RunSettings } from '../contracts/run-settings.js';
import { scriptedActivities } from './support/scripted-activities.js';
import { TEST_SETTINGS, WorkflowHarness } from './support/workflow-harness.js';

jest.setTimeout(300_000);

const KEY = 'marked-key-of-the-flow-0123456789';
const QUESTION = 'What is 12 times 7?';
const llm = { engine: 'llm', model: 'large', timeout_s: 60 };
const FLOW = {
  max_turns: 5,
  tools: ['calculator', 'lookup', 'generator'],
  planner: llm,
  query_analysis: llm,
  executor: llm,
  verifier: llm,
  generator: llm,
  tool_engine: llm,
  outputs: ['direct', 'final', 'base'],
};

/** Which module asks, by how its prompt begins. */
const MODULES: [module: string, beginning: string][] = [
  ['analysis', 'You look at a question'],
  ['plan', 'You plan the work'],
  ['command', 'You turn a sub-goal'],
  ['verdict', 'You check the work'],
  ['direct', 'You write the answer'],
  ['final', 'You write a full answer'],
];

const reply = (text: string | object): Behaviour => ({
  kind: 'reply',
  text: typeof text === 'string' ? text : JSON.stringify(text),
});
const plan = (tool: string, sub_goal: string) =>
  reply({ justification: 'it computes', context: '12 and 7', sub_goal, tool });
const verdict = (said: string, critique: string) => reply({ critique, verdict: said });

/** What the model says, module by module, in order: with every mistake that a flow must survive. */
const SCRIPT: Record<string, Behaviour[]> = {
  analysis: [reply({ summary: 'a product', skills: 'arithmetic', tools: 'Calculator', considerations: 'none' })],
  plan: [
    reply('I would rather think about it.'),
    plan('Abacus', 'multiply'),
    plan('calculator', 'multiply'),
    plan('Calculator', 'multiply 12 by 7'),
  ],
  command: [
    reply({ reasoning: 'so', arguments: { expression: '12 *' } }),
    reply('```json\n{"expression": "12 * 7"}\n```'),
  ],
  verdict: [
    verdict('CONTINUE', 'no step was planned'),
    verdict('CONTINUE', 'there is no abacus'),
    verdict('CONTINUE', 'the expression was not complete'),
    verdict('STOP', 'the product is there'),
  ],
  direct: [reply('The calculator gave it. <answer>84</answer>')],
  final: [reply('First nothing worked, then the calculator gave 84.')],
  base: [reply('Maybe 83.')],
};

describe('an agent flow with a language model in every module', () => {
  const server = new ProviderServer();
  let database: TestDatabase;
  let harness: WorkflowHarness;
  let script: Record<string, Behaviour[]>;
  let settings: RunSettings;

  beforeAll(async () => {
    process.env.TEST_FLOW_KEY = KEY;
    const [address] = await Promise.all([server.start(), start()]);
    const languageModels = {
      providers: {
        there: {
          kind: 'openai-compatible' as const,
          base_url: address,
          key: { env: 'TEST_FLOW_KEY' },
          concurrency: 8,
        },
      },
      language_models: {
        large: {
          provider: 'there',
          model: 'model-1',
          context: 32_768,
          output: 'json-schema' as const,
          images: false,
          temperature: true,
          price: { input: 1, output: 1 },
        },
      },
    };
    const agent = createAgentActivities({
      dataSource: database.dataSource,
      artifacts: openArtifactStore(pathToFileURL(tmpdir()).href),
      policyClient: new EmbeddedPolicyClient('http://127.0.0.1:1'),
      datasets: { atlas: { kind: 'made' as const } },
      languageModels,
    });
    settings = runSettings({ timeouts: TEST_SETTINGS, ...languageModels });
    await harness.work({ ...scriptedActivities(), agent });
    await harness.poll(providerTaskQueue('there'), agent);
  });
  afterAll(async () => {
    await harness.stop();
    await server.stop();
    await database.drop();
  });
  beforeEach(() => {
    server.requests.length = 0;
    script = structuredClone(SCRIPT);
    server.behave = ({ body }) => script[moduleOf(body)].shift() ?? { kind: 'refuse', status: 418 };
  });

  async function start(): Promise<void> {
    database = await createTestDatabase();
    harness = await WorkflowHarness.start();
  }

  function flowInput(changes: Record<string, unknown> = {}): AgentFlowInput {
    const id = `flow-${randomUUID()}`;
    return {
      flow: { flowId: id, runId: id, runSeed: 1, purpose: 'ask' },
      query: { id: 'q', dataset: { name: 'atlas', seed: 7 }, family: 'arithmetic', question: QUESTION },
      model: 'tiny-random',
      config: flowSchema.parse({ ...FLOW, ...changes }),
      greedy: false,
      score: false,
      settings,
    };
  }

  const run = (input: AgentFlowInput) =>
    harness.client.workflow.start('agentFlow', {
      taskQueue: AGENT_TASK_QUEUE,
      workflowId: input.flow.flowId,
      args: [input],
    });

  it('survives mistakes and outages, and keeps every prompt, reply, usage and cost', async () => {
    script.analysis.unshift({ kind: 'refuse', status: 429, headers: { 'retry-after': '0' } });
    script.plan.unshift({ kind: 'refuse', status: 500 });
    script.verdict.unshift({ kind: 'garbage' }, { kind: 'half' });
    const input = flowInput();
    const handle = await run(input);
    const result = (await handle.result()) as AgentFlowResult;
    expect(result).toMatchObject({ outcome: 'answered', answer: '84', turns: 4 });
    expect(result.tools).toEqual(['none', 'none', 'calculator', 'calculator']);
    expect(result.answers).toEqual({
      direct: '84',
      final: 'First nothing worked, then the calculator gave 84.',
      base: 'Maybe 83.',
    });

    const { flowId } = input.flow;
    const { memory } = await database.dataSource.getRepository(Rollout).findOneByOrFail({ flowId });
    expect(memory.map(({ mistake }) => mistake)).toEqual([
      'the part "Tool" of the plan is missing',
      'no tool is called Abacus',
      'not a complete expression',
      undefined,
    ]);
    expect(memory[3]).toMatchObject({ command: '{"expression":"12 * 7"}', result: '84', verdict: 'STOP' });
    const lastPlan = JSON.stringify(server.requests.filter(({ body }) => moduleOf(body) === 'plan').at(-1)?.body);
    for (const part of ['no tool is called Abacus', 'the expression was not complete', 'this one included: 2']) {
      expect(lastPlan).toContain(part);
    }

    const rows = await database.dataSource.getRepository(Turn).findBy({ flowId });
    const calls = rows.flatMap((row) => row.calls ?? []);
    expect(calls).toHaveLength(14);
    for (const call of calls) {
      expect(call).toMatchObject({
        engine: 'llm',
        model: 'large',
        providerModel: 'model-1',
        inputTokens: 12,
        outputTokens: 3,
      });
      expect(call.prompt.length).toBeGreaterThan(0);
      expect(call.seconds).toBeGreaterThan(0);
    }
    const templates = rows.filter(({ module }) => module !== 'generator.base').flatMap(({ calls }) => calls ?? []);
    for (const { template } of templates) expect(template).toMatch(/^[0-9a-f]{64}$/);
    const spent = await database.dataSource.getRepository(Spending).findOneByOrFail({ submissionId: flowId });
    expect(spent).toMatchObject({ calls: 14 + 4, tokens: 14 * 15 });
    expect(spent.money).toBeCloseTo((14 * 15) / 1e6, 12);
    expect(server.requests).toHaveLength(14 + 4);

    const history = JSON.stringify(await handle.fetchHistory());
    const stored = JSON.stringify([rows, memory]);
    for (const text of [history, Buffer.from(history, 'utf8').toString('base64'), stored])
      expect(text).not.toContain(KEY);
    expect(history).not.toContain(Buffer.from(KEY).toString('base64').slice(4, 20));
  });

  it('stops when the budget of the run is spent, with a failure of the closed list', async () => {
    const input = flowInput({ budget: { calls: 3 } });
    const handle = await run({
      ...input,
      flow: { ...input.flow, purpose: 'evaluation', cell: 0, question: 0, trial: 0 },
    });
    await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: 'BudgetSpent' } } });
    expect(server.requests).toHaveLength(3);
  });

  it('answers equal calls of frozen modules from the cache, and never the planner’s', async () => {
    const config = { cache: true, outputs: ['direct'] };
    await (await run(flowInput(config))).result();
    expect(await database.dataSource.getRepository(CachedReply).count()).toBeGreaterThan(0);
    const first = server.requests.length;
    script = structuredClone(SCRIPT);
    const again = flowInput({ ...config, budget: { calls: 4 } });
    expect(await (await run(again)).result()).toMatchObject({ answer: '84', turns: 4 });
    const modules = server.requests.slice(first).map(({ body }) => moduleOf(body));
    expect(modules).toEqual(['plan', 'plan', 'plan', 'plan']);
    const spent = await database.dataSource.getRepository(Spending).findOneByOrFail({ submissionId: again.flow.runId });
    expect(spent.calls).toBe(4);
  });

  it('takes no turn for the bare answer of the planner’s model', async () => {
    const result = (await (await run(flowInput({ outputs: ['base'] }))).result()) as AgentFlowResult;
    expect(result).toMatchObject({ outcome: 'answered', answer: 'Maybe 83.', turns: 0 });
    expect(server.requests).toHaveLength(1);
  });

  it('ends with a failure of the closed list where the provider refuses for good', async () => {
    script.analysis = [{ kind: 'refuse', status: 401, body: `{"error":{"message":"wrong key ${KEY}"}}` }];
    const handle = await run(flowInput());
    const error = await handle.result().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ cause: { cause: { type: 'ProviderRefused' } } });
    expect(JSON.stringify(await handle.fetchHistory())).not.toContain(KEY);
  });
});

function moduleOf(body: Record<string, unknown>): string {
  const [{ content }] = body.messages as { content: string }[];
  return MODULES.find(([, beginning]) => content.startsWith(beginning))?.[0] ?? 'base';
}
