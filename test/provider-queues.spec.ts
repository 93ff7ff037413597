import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import proto from '@temporalio/proto';
import { NativeConnection, type Worker } from '@temporalio/worker';
import { EmbeddedPolicyClient } from '../activities/engines/embedded-policy-client.js';
import { ProviderServer } from '../activities/engines/llm/testing/provider-server.js';
import { createAgentActivities } from '../activities/index.js';
import { openArtifactStore } from '../infra/artifacts/open-artifact-store.js';
import type { LanguageModelRegistration } from '../infra/config/operator/language-models.js';
import { runSettings } from '../infra/config/run-settings.js';
import { createTestDatabase, type TestDatabase } from '../infra/database/testing/test-database.js';
import { createAgentWorkers, runTogether } from '../worker/agent/agent-workers.js';
import { FailureType } from '../contracts/failures.js';
import { flowSchema } from '../contracts/flow-config.js';
import type { AgentFlowInput } from '../contracts/flow.js';
import { AGENT_TASK_QUEUE, providerTaskQueue } from '../contracts/task-queues.js';
import { TEST_SETTINGS, WorkflowHarness } from './support/workflow-harness.js';

jest.setTimeout(300_000);

const CONCURRENCY = 2;
const FLOWS = 12;
const AGENTS = ['agent-worker-a', 'agent-worker-b'];

describe('two agent workers and providers with limits', () => {
  const server = new ProviderServer();
  let database: TestDatabase;
  let harness: WorkflowHarness;
  let address: string;
  const connections: NativeConnection[] = [];
  let agents: Worker[][] = [];
  let running: Promise<void>[] = [];

  beforeAll(async () => {
    for (const agent of AGENTS) process.env[keyOf(agent)] = agent;
    address = await server.start();
    database = await createTestDatabase();
    harness = await WorkflowHarness.start();
    agents = await Promise.all(AGENTS.map(startAgent));
    running = agents.map(runTogether);
  });
  afterAll(async () => {
    for (const worker of agents.flat()) worker.shutdown();
    await Promise.all(running);
    await Promise.all(connections.map((connection) => connection.close()));
    await harness.stop();
    await server.stop();
    await database.drop();
  });

  /** The provider tells the agent workers apart by their keys. */
  function providers(agent: string) {
    const provider = { kind: 'openai-compatible' as const, base_url: address, key: { env: keyOf(agent) } };
    return {
      few: { ...provider, concurrency: CONCURRENCY },
      slow: { ...provider, requests_per_minute: 1200 },
      free: provider,
    };
  }

  async function startAgent(agent: string): Promise<Worker[]> {
    const connection = await NativeConnection.connect({ address: harness.environment.address });
    connections.push(connection);
    const registered = { providers: providers(agent), language_models: MODELS };
    return createAgentWorkers({
      connection,
      namespace: harness.client.options.namespace,
      workflowBundle: harness.bundle,
      providers: registered.providers,
      activities: createAgentActivities({
        dataSource: database.dataSource,
        artifacts: openArtifactStore(pathToFileURL(tmpdir()).href),
        policyClient: new EmbeddedPolicyClient('http://127.0.0.1:1'),
        datasets: { atlas: { kind: 'made' } },
        languageModels: registered,
      }),
    });
  }

  function ask(model: string, settings: Partial<AgentFlowInput['settings']> = {}) {
    const id = `flow-${randomUUID()}`;
    const operator = { timeouts: TEST_SETTINGS, providers: providers('any'), language_models: MODELS };
    const input: AgentFlowInput = {
      flow: { flowId: id, runId: id, runSeed: 1, purpose: 'evaluation', step: 0, group: 0, rollout: 0 },
      query: { id: 'q', dataset: { name: 'atlas', seed: 7 }, family: 'arithmetic', question: 'What is 1 plus 1?' },
      model: 'tiny-random',
      config: flowSchema.parse({ outputs: ['base'], planner: { engine: 'llm', model } }),
      greedy: true,
      score: false,
      settings: { ...runSettings(operator), ...settings },
    };
    const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: id, args: [input] };
    return harness.client.workflow.start('agentFlow', options);
  }

  const describeQueue = (name: string) =>
    harness.client.workflowService.describeTaskQueue({
      namespace: harness.client.options.namespace,
      taskQueue: { name },
      taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
      reportConfig: true,
    });

  it('never open more calls of a provider than each of them may, and answer all of them', async () => {
    const open = new Map<string, number>();
    const most = new Map<string, number>();
    const held: (() => void)[] = [];
    server.behave = ({ headers }) => {
      const agent = String(headers.authorization);
      open.set(agent, (open.get(agent) ?? 0) + 1);
      most.set(agent, Math.max(most.get(agent) ?? 0, open.get(agent)!));
      const after = new Promise<void>((resolve) => {
        held.push(() => {
          open.set(agent, open.get(agent)! - 1);
          resolve();
        });
      });
      return { kind: 'reply', text: '2', after };
    };
    const flows = await Promise.all(Array.from({ length: FLOWS }, () => ask('few')));
    await until(() => held.length >= CONCURRENCY * AGENTS.length);
    await until(async () => (await Promise.all(flows.map(isWaiting))).every(Boolean));
    expect(held).toHaveLength(CONCURRENCY * AGENTS.length);

    let answered = false;
    const results = Promise.all(flows.map((flow) => flow.result())).finally(() => (answered = true));
    await until(() => {
      held.splice(0).forEach((release) => release());
      return answered;
    });
    for (const result of await results) expect(result).toMatchObject({ outcome: 'answered', answer: '2' });
    expect(server.requests).toHaveLength(FLOWS);
    expect(Object.fromEntries(most)).toEqual(
      Object.fromEntries(AGENTS.map((agent) => [`Bearer ${agent}`, CONCURRENCY])),
    );
  });

  it('tell the server the rate of the queue, which holds for all of them', async () => {
    server.behave = () => ({ kind: 'reply', text: '2' });
    await (await ask('slow')).result();
    const { pollers, effectiveRateLimit } = await describeQueue(providerTaskQueue('slow'));
    expect(pollers.length).toBeGreaterThan(0);
    expect(effectiveRateLimit?.requestsPerSecond).toBe(20);
    expect((await describeQueue(providerTaskQueue('free'))).pollers).toEqual([]);
  });

  it('say which queue they do not poll, instead of leaving its calls there', async () => {
    const queue = providerTaskQueue('removed');
    const flow = await ask('few', { patience_s: 1, model_queues: { few: queue } });
    const error = await flow.result().catch((failure: unknown) => failure);
    expect(error).toMatchObject({ cause: { cause: { type: FailureType.BadConfiguration } } });
    const { message } = (error as { cause: { cause: Error } }).cause.cause;
    expect(message).toContain(`wait on the task queue ${queue}`);
    expect(message).toContain(`polls: ${providerTaskQueue('few')}, ${providerTaskQueue('slow')})`);
  });
});

const MODELS = Object.fromEntries(
  ['few', 'slow', 'free'].map((provider): [string, LanguageModelRegistration] => [
    provider,
    { provider, model: 'model-1', context: 8192, output: 'text', images: false, temperature: true },
  ]),
);

function keyOf(agent: string): string {
  return `TEST_KEY_OF_${agent.toUpperCase().replaceAll('-', '_')}`;
}

/** Whether the flow's call has been given to the task queue. */
async function isWaiting(flow: Awaited<ReturnType<WorkflowHarness['client']['workflow']['start']>>): Promise<boolean> {
  const { raw } = await flow.describe();
  return (raw.pendingActivities ?? []).some(({ activityType }) => activityType?.name === 'generateAnswer');
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}
