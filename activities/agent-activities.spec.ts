import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { openArtifactStore } from '../infra/artifacts/open-artifact-store.js';
import { Turn } from '../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import type { AgentActivities, ExecuteTurnInput, PlanTurnInput } from '../contracts/agent-activities.js';
import type { MemoryEntry } from '../contracts/flow.js';
import { runConfigSchema } from '../contracts/run-config.js';
import { EmbeddedPolicyClient } from './engines/embedded-policy-client.js';
import { createAgentActivities } from './index.js';
import { PolicyUnusable } from './engines/policy-errors.js';

const policy = { name: 'run-1@0', sha256: 'a'.repeat(64) };
const analysis = { summary: '', skills: '', tools: '', considerations: '' };
const { flow: config } = runConfigSchema.parse({ model: 'tiny-random', steps: 1 });

/** The activities as a worker runs them, against PostgreSQL and an HTTP server that speaks as the policy server does. */
describe('agent activities', () => {
  let database: TestDatabase;
  let server: Server;
  let activities: AgentActivities;
  let requests: { temperature: number; model: string; messages: { content: string }[] }[];
  let reply: { status: number; body: object };
  let flowNumber = 0;

  const says = (content: string) => {
    const choice = { message: { content }, finish_reason: 'stop', token_ids: [9, 2], token_logprobs: [-0.5, -0.25] };
    reply = { status: 200, body: { policy_sha256: policy.sha256, prompt_token_ids: [1, 2], choices: [choice] } };
  };
  const asActivity = <Output>(work: () => Promise<Output>): Promise<Output> =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(work);

  beforeAll(async () => {
    database = await createTestDatabase();
    server = createServer((incoming, outgoing) => {
      let body = '';
      incoming.on('data', (chunk) => (body += String(chunk)));
      incoming.on('end', () => {
        requests.push(JSON.parse(body) as (typeof requests)[number]);
        outgoing.writeHead(reply.status).end(JSON.stringify(reply.body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    activities = createAgentActivities({
      dataSource: database.dataSource,
      artifacts: openArtifactStore(pathToFileURL(tmpdir()).href),
      policyClient: new EmbeddedPolicyClient(`http://127.0.0.1:${port}`),
      languageModels: { providers: {}, language_models: {} },
      datasets: { atlas: { kind: 'made' } },
    });
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await database.drop();
  });
  beforeEach(() => {
    requests = [];
    flowNumber += 1;
  });

  function planInput(overrides: Partial<PlanTurnInput> = {}): PlanTurnInput {
    const flowId = `run-1/1/0/${flowNumber}`;
    return {
      flow: { flowId, runId: 'run-1', runSeed: 5, purpose: 'train', step: 1, group: 0, rollout: flowNumber },
      query: { id: 'q', dataset: { name: 'atlas', seed: 7 }, family: 'arithmetic', question: 'What is 12 times 7?' },
      model: 'tiny-random',
      cache: false,
      analysis,
      tools: config.tools,
      memory: [],
      turn: 1,
      turnsLeft: 2,
      planner: config.planner,
      policy,
      greedy: false,
      ...overrides,
    };
  }

  function executeInput(tool: string, subGoal: string): ExecuteTurnInput {
    const { flow, query, model } = planInput();
    const { executor: module, tool_engine: toolEngine } = config;
    return { flow, query, model, cache: false, turn: 1, tool, subGoal, module, toolEngine };
  }

  it('take a question from analysis to answer', async () => {
    says('Calculator: 12 * 7\nIgnored');
    const { flow, query, tools, model } = planInput();
    const common = { flow, query, model, cache: false };
    const module = { engine: 'scripted' } as const;
    const analysed = await asActivity(() => activities.analyseQuery({ ...common, tools, module }));
    expect(analysed.analysis.summary).toContain('12 * 7');
    const plan = await asActivity(() => activities.planTurn(planInput()));
    expect(plan).toMatchObject({ tool: 'calculator', subGoal: '12 * 7', finishReason: 'stop', sampledTokens: 2 });
    const step = executeInput('calculator', '12 * 7');
    const run = await asActivity(() => activities.executeTurn(step));
    expect(run).toEqual({ command: '{"expression":"12 * 7"}', result: '84', seconds: expect.any(Number) });
    const { command, result } = run;
    const record = { turn: 1, tool: 'calculator', subGoal: '12 * 7', command, result };
    const judged = await asActivity(() =>
      activities.verifyTurn({ ...common, analysis, tools, turn: 1, memory: [record], module }),
    );
    expect(judged.verdict).toBe('STOP');
    const memory: MemoryEntry[] = [{ ...record, verdict: judged.verdict, critique: judged.critique }];
    const request = { ...planInput(), output: 'direct', memory, module } as const;
    expect((await asActivity(() => activities.generateAnswer(request))).answer).toBe('84');
    const modules = await database.dataSource.getRepository(Turn).find({ where: { flowId: flow.flowId } });
    expect(modules.map(({ turn, module }) => `${turn} ${module}`).sort()).toEqual([
      '0 generator',
      '0 query_analysis',
      '1 executor',
      '1 planner',
      '1 verifier',
    ]);
  });

  it('never ask the policy twice for a turn (I3)', async () => {
    says('Lookup: area of Hexley');
    const first = await asActivity(() => activities.planTurn(planInput()));
    says('Generator: something else');
    expect(await asActivity(() => activities.planTurn(planInput()))).toEqual(first);
    expect(requests).toHaveLength(1);
  });

  it('remember an unreadable plan as the planner’s mistake, with its tokens', async () => {
    says('I think it is 84.');
    const plan = await asActivity(() => activities.planTurn(planInput()));
    expect(plan).toMatchObject({ mistake: 'not a line "Tool: input"', sampledTokens: 2 });
    expect(plan.tool).toBeUndefined();
  });

  it('plan greedily in evaluations, and without any model for the yardsticks', async () => {
    says('Calculator: 1');
    await asActivity(() => activities.planTurn(planInput({ greedy: true })));
    expect(requests[0].temperature).toBe(0);
    const oracle = planInput({ turn: 2, planner: { engine: 'oracle' } });
    expect(await asActivity(() => activities.planTurn(oracle))).toMatchObject({ subGoal: '12 * 7', sampledTokens: 0 });
    expect(requests).toHaveLength(1);
  });

  it('store nothing for a turn that failed, and tell an outage from a policy that is gone and a prompt that is too long (I2)', async () => {
    reply = { status: 503, body: { error: { message: 'loading', code: 'busy' } } };
    await expect(asActivity(() => activities.planTurn(planInput()))).rejects.toThrow(/did not answer/);
    reply = { status: 409, body: { error: { message: 'not here', code: 'policy_not_loaded' } } };
    await expect(asActivity(() => activities.planTurn(planInput()))).rejects.toThrow(PolicyUnusable);
    reply = { status: 400, body: { error: { message: 'too long', code: 'context_length_exceeded' } } };
    await expect(asActivity(() => activities.planTurn(planInput()))).rejects.toThrow(
      expect.objectContaining({ type: 'PromptTooLong' }),
    );
    says('Calculator: 1');
    expect((await asActivity(() => activities.planTurn(planInput()))).tool).toBe('calculator');
  });

  it('say of a planned tool that it asks a language model, which decides on whose limits its call keeps to', async () => {
    says('Generator: capital of France');
    expect(await asActivity(() => activities.planTurn(planInput()))).toMatchObject({ asksModel: true });
    says('Calculator: 1');
    expect(await asActivity(() => activities.planTurn(planInput({ turn: 2 })))).not.toHaveProperty('asksModel');
  });

  it('let the base model answer as a tool, in one line', async () => {
    says(' Paris, of course.\nAnd more');
    const step = executeInput('generator', 'capital of France');
    expect((await asActivity(() => activities.executeTurn(step))).result).toBe('Paris, of course.');
    expect(requests[0]).toMatchObject({ model: 'tiny-random', temperature: 0, max_tokens: 24 });
  });

  it('take nothing that a model only thought for a plan, a tool’s result or an answer; the plan’s text keeps it', async () => {
    says('<think>\nLookup: 7?\n</think>\n\nCalculator: 12 * 7');
    const plan = await asActivity(() => activities.planTurn(planInput()));
    expect(plan).toMatchObject({ tool: 'calculator', subGoal: '12 * 7', text: expect.stringContaining('Lookup: 7?') });
    says('<think>\nLyon? No.\n</think>\n\nParis\n');
    const step = executeInput('generator', 'capital of France');
    expect((await asActivity(() => activities.executeTurn(step))).result).toBe('Paris');
    const asked = { ...planInput(), module: { engine: 'scripted' as const } };
    const answer = await asActivity(() => activities.generateAnswer({ ...asked, output: 'base' }));
    expect(answer.answer).toBe('Paris');
  });

  it('refuse tools and datasets that nobody registered', async () => {
    const bad = expect.objectContaining({ type: 'BadConfiguration', nonRetryable: true });
    await expect(asActivity(() => activities.planTurn(planInput({ tools: ['shell'] })))).rejects.toThrow(bad);
    const dataset = { name: 'nowhere', seed: 7 };
    await expect(
      asActivity(() => activities.drawQueries({ runSeed: 1, step: 1, first: 0, count: 1, dataset })),
    ).rejects.toThrow(bad);
  });
});
