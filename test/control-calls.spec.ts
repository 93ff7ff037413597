import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Worker } from '@temporalio/worker';
import { EmbeddedPolicyClient } from '../activities/engines/embedded-policy-client.js';
import { submittedFlowsOnly } from '../activities/flows/submitted-flows.js';
import { createAgentActivities } from '../activities/index.js';
import { openArtifactStore } from '../infra/artifacts/open-artifact-store.js';
import { TRAINER_TASK_QUEUE } from '../contracts/task-queues.js';
import { createAgentWorkers, runTogether } from '../worker/agent/agent-workers.js';
import { startStanding, submit, type Standing } from './standing/fixture.js';
import { scriptedActivities } from './support/scripted-activities.js';
import { until } from './support/started-run.js';
import { WorkflowHarness } from './support/workflow-harness.js';

jest.setTimeout(300_000);

const SLOTS = 6;
/** More rollouts than slots. */
const RUN = {
  model: 'tiny-random',
  steps: 1,
  training: { queries_per_step: 3, group_size: 4 },
  evaluation: { questions: 1, yardsticks: false },
};

/** It answers what is decoded greedily, as held-out questions are, and never what is sampled. */
class SilentPolicyServer {
  held = 0;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      void json(request).then((body) => this.answer(body as { temperature: number; policy_sha256: string }, response));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private answer({ temperature, policy_sha256 }: { temperature: number; policy_sha256: string }, to: ServerResponse) {
    if (temperature > 0) return void (this.held += 1);
    const message = { content: 'Calculator: 1 + 1' };
    const choice = { message, finish_reason: 'stop', token_ids: [9, 2], token_logprobs: [-0.5, -0.25] };
    to.end(JSON.stringify({ policy_sha256, prompt_token_ids: [1, 2], choices: [choice] }));
  }
}

describe('a policy server that answers no planner call, and more of them than there are slots', () => {
  const server = new SilentPolicyServer();
  let harness: WorkflowHarness;
  let standing: Standing;
  let workers: Worker[] = [];
  let running: Promise<void>;

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    standing = await startStanding(harness);
    const { dataSource } = standing;
    const activities = createAgentActivities({
      dataSource,
      artifacts: openArtifactStore(pathToFileURL(tmpdir()).href),
      policyClient: new EmbeddedPolicyClient(await server.start()),
      datasets: { atlas: { kind: 'made' } },
      languageModels: { providers: {}, language_models: {} },
    });
    workers = await createAgentWorkers({
      connection: harness.environment.nativeConnection,
      namespace: harness.client.options.namespace,
      workflowBundle: harness.bundle,
      providers: {},
      maxActivities: SLOTS,
      activities: submittedFlowsOnly(activities, dataSource),
    });
    running = runTogether(workers);
    await harness.poll(TRAINER_TASK_QUEUE, scriptedActivities().trainer);
  });
  afterAll(async () => {
    await server.stop();
    for (const worker of workers) worker.shutdown();
    await running;
    await standing?.api.stop();
    await harness?.stop();
  });

  it('keep nobody from pausing, asking and cancelling: rows tell it', async () => {
    const { client } = standing;
    const { id } = await submit(client, RUN);
    await until(async () => server.held >= SLOTS);

    expect(await client.pause(id, true)).toMatchObject({ status: 'pausing' });
    expect(await client.getRun(id)).toMatchObject({ status: 'pausing' });

    const asked = await client.ask({ question: 'What is 1 plus 1?', model: 'tiny-random' });
    await until(async () => (await client.getFlow(asked.id)).status === 'running');
    await client.cancelFlow(asked.id);
    await until(async () => (await client.getFlow(asked.id)).status === 'cancelled');

    await client.act(id, 'cancel');
    await until(async () => (await client.getRun(id)).status === 'cancelled');
  });
});
