import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EmbeddedPolicyClient } from '../activities/engines/embedded-policy-client.js';
import { createAgentActivities } from '../activities/index.js';
import { openArtifactStore } from '../infra/artifacts/open-artifact-store.js';
import { Turn } from '../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import { flowSchema } from '../contracts/flow-config.js';
import { SCORED_OUTCOMES, type AgentFlowInput, type AgentFlowResult, type Query } from '../contracts/flow.js';
import type { AgentActivities } from '../contracts/agent-activities.js';
import { AGENT_TASK_QUEUE } from '../contracts/task-queues.js';
import { PolicyServerProcess } from './support/policy-server.js';
import { scriptedActivities } from './support/scripted-activities.js';
import { TEST_SETTINGS, WorkflowHarness } from './support/workflow-harness.js';

jest.setTimeout(600_000);

const QUESTIONS = 10;
const dataset = { name: 'atlas', seed: 7 };
const smollm2 = { engine: 'llm', model: 'smollm2', prompt: 'compact', max_tokens: 32, timeout_s: 300 };
const config = flowSchema.parse({
  max_turns: 2,
  memory_tokens: 400,
  planner: smollm2,
  query_analysis: smollm2,
  executor: smollm2,
  verifier: smollm2,
  generator: smollm2,
  tool_engine: smollm2,
});

/** A real language model of 135 million parameters in every module: it completes, whatever the quality. */
describe('an agent flow on SmolLM2 behind an OpenAI-compatible server', () => {
  const server = new PolicyServerProcess();
  let database: TestDatabase;
  let harness: WorkflowHarness;
  let agent: AgentActivities;

  beforeAll(async () => {
    database = await createTestDatabase();
    await server.start();
    harness = await WorkflowHarness.start();
    agent = createAgentActivities({
      dataSource: database.dataSource,
      artifacts: openArtifactStore(pathToFileURL(tmpdir()).href),
      policyClient: new EmbeddedPolicyClient('http://127.0.0.1:1'),
      datasets: { atlas: { kind: 'made' } },
      languageModels: {
        providers: { local: { kind: 'openai-compatible', base_url: `${server.url}/v1` } },
        language_models: {
          smollm2: {
            provider: 'local',
            model: 'smollm2-135m-instruct',
            context: 2048,
            output: 'text',
            images: false,
            temperature: true,
          },
        },
      },
    });
    await harness.work({ ...scriptedActivities(), agent });
  });
  afterAll(async () => {
    await harness.stop();
    await server.stop();
    await database.drop();
  });

  function ask(query: Query): Promise<AgentFlowResult> {
    const id = `flow-${randomUUID()}`;
    const input: AgentFlowInput = {
      flow: { flowId: id, runId: id, runSeed: 1, purpose: 'ask' },
      query,
      model: 'smollm2-135m-instruct',
      config,
      greedy: true,
      score: true,
      settings: TEST_SETTINGS,
    };
    const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: id, args: [input] };
    return harness.client.workflow.execute('agentFlow', options) as Promise<AgentFlowResult>;
  }

  it('answers ten questions of the atlas, with every prompt and reply recorded', async () => {
    const queries = await agent.evaluationQueries({ dataset, offset: 0, count: QUESTIONS });
    const results = await Promise.all(queries.map(ask));
    expect(results).toHaveLength(QUESTIONS);
    for (const { outcome, reward, answer } of results) {
      expect(SCORED_OUTCOMES).toContain(outcome);
      expect([0, 1]).toContain(reward);
      expect(answer).toEqual(expect.any(String));
    }
    const rows = await database.dataSource.getRepository(Turn).find();
    const turns = results.reduce((sum, result) => sum + result.turns, 0);
    const count = (module: string) => rows.filter((row) => row.module === module).length;
    expect([count('query_analysis'), count('planner'), count('verifier'), count('generator')]).toEqual([
      QUESTIONS,
      turns,
      turns,
      QUESTIONS,
    ]);
    const calls = rows.flatMap((row) => row.calls ?? []);
    for (const call of calls) {
      expect(call).toMatchObject({ engine: 'llm', model: 'smollm2', reply: expect.any(String) });
      expect(call.prompt.at(-1)?.role).toBe('user');
      expect(call.inputTokens).toBeGreaterThan(0);
      expect(call.outputTokens).toBeGreaterThan(0);
    }
    // Nothing was asked that is not kept.
    expect(server.requests()).toBe(calls.length);
  });
});
