import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { scriptedActivities } from '../../test/support/scripted-activities.js';
import { Gate, until } from '../../test/support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../../test/support/workflow-harness.js';
import type { PlanTurnInput } from '../../contracts/agent-activities.js';
import { FailureType } from '../../contracts/failures.js';
import { ApiClient } from '../../cli/client/api-client.js';
import { ReconcilerService } from '../submissions/reconciler.service.js';
import { TestApi } from '../testing/test-api.js';
import { Workflows } from '../temporal/workflows.js';

const TOO_LONG = ApplicationFailure.nonRetryable('9000 tokens', FailureType.PromptTooLong);
const SPENT = ApplicationFailure.nonRetryable('the budget of 10 calls is spent', FailureType.BudgetSpent);

describe('agent flows in Temporal', () => {
  let harness: WorkflowHarness;
  let api: TestApi;
  let client: ApiClient;
  let nextPlan: (input: PlanTurnInput) => Promise<unknown> = () => Promise.resolve();

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    const workflows = new Workflows(harness.client, harness.environment.connection, TEST_SETTINGS);
    api = await TestApi.start({ workflows });
    client = new ApiClient({ url: api.url, key: api.key });
    const setFlowStatus = async (input: Parameters<typeof writeFlowStatus>[1]): Promise<void> =>
      void (await writeFlowStatus(api.database.dataSource, input));
    const scripted = scriptedActivities({ agent: { setFlowStatus } });
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = async (input) => {
      await nextPlan(input);
      return planTurn(input);
    };
    await harness.work(scripted);
  });
  afterAll(async () => {
    await api?.stop();
    await harness?.stop();
  });

  const ask = (flow: object = {}) => client.ask({ question: 'What is 1 plus 1?', model: 'tiny-random', flow });
  const follow = async (id: string): Promise<string[]> => {
    const types: string[] = [];
    for await (const { type } of client.followFlow(id)) {
      types.push(type);
      if (type === 'flow.paused') break;
    }
    return types;
  };

  it('starts a flow that answers and then cannot be cancelled', async () => {
    const { id } = await ask();
    expect(await follow(id)).toEqual(['flow.queued', 'flow.completed']);
    const flow = await client.getFlow(id);
    expect(flow).toMatchObject({
      status: 'completed',
      outcome: 'answered',
      answer: '2',
      turns: 1,
      tools: ['calculator'],
    });
    expect(flow.started_at).not.toBeNull();
    expect(flow.finished_at).not.toBeNull();
    await expect(client.cancelFlow(id)).rejects.toMatchObject({
      status: 409,
      message: `${id} is completed; it cannot be cancelled.`,
    });
    const description = await harness.client.workflow.getHandle(id).describe();
    expect(await description.staticSummary()).toBe('What is 1 plus 1?');
  });

  it('cancels a flow in the middle of a call', async () => {
    const gate = new Gate();
    nextPlan = () => gate.passed();
    const { id } = await ask();
    await gate.someoneWaits();
    expect((await client.cancelFlow(id)).status).toBe('running');
    expect(await follow(id)).toEqual(['flow.queued', 'flow.cancelled']);
    gate.open();
    nextPlan = () => Promise.resolve();
  });

  it('I2: fails without an answer on a first prompt that does not fit', async () => {
    nextPlan = () => Promise.reject(TOO_LONG);
    const { id } = await ask();
    expect((await follow(id)).at(-1)).toBe('flow.failed');
    const failure = { type: 'prompt_too_long' };
    expect(await client.getFlow(id)).toMatchObject({ status: 'failed', answer: null, outcome: failure.type, failure });
    nextPlan = () => Promise.resolve();
  });

  it('pauses where its budget is spent, and goes on when resumed, with the budget granted once more', async () => {
    const granted: unknown[] = [];
    nextPlan = ({ budget }) => {
      granted.push(budget?.calls);
      return budget?.calls === 6 ? Promise.resolve() : Promise.reject(SPENT);
    };
    const { id } = await ask({ budget: { calls: 2 } });
    const failure = { type: 'BudgetSpent', message: SPENT.message };
    for (const budgets of [1, 2]) {
      await until(async () => granted.length === budgets && (await client.getFlow(id)).status === 'paused');
      expect(await follow(id)).toEqual(['flow.queued', 'flow.paused']);
      const paused = await client.getFlow(id);
      expect(paused).toMatchObject({ failure, outcome: null, finished_at: null });
      expect(paused.paused_at).not.toBeNull();
      // Two at once are one: the budget is granted once.
      await Promise.all([client.resumeFlow(id), client.resumeFlow(id)]);
    }
    expect(await follow(id)).toEqual(['flow.queued', 'flow.completed']);
    expect(granted).toEqual([2, 4, 6]);
    const flow = await client.getFlow(id);
    expect(flow).toMatchObject({ status: 'completed', answer: '2', failure: null, paused_at: null });
    await expect(client.resumeFlow(id)).rejects.toMatchObject({
      status: 409,
      message: `${id} is completed; it cannot be resumed.`,
    });
    nextPlan = () => Promise.resolve();
  });

  it('cancels a flow that is paused', async () => {
    nextPlan = () => Promise.reject(SPENT);
    const { id } = await ask();
    expect((await follow(id)).at(-1)).toBe('flow.paused');
    await client.cancelFlow(id);
    await until(async () => (await client.getFlow(id)).status === 'cancelled');
    expect(await client.getFlow(id)).toMatchObject({ failure: null, paused_at: null });
    nextPlan = () => Promise.resolve();
  });

  it('reconciles flows that stayed queued without a Temporal server', async () => {
    const away = Connection.lazy({ address: '127.0.0.1:9' });
    const workflows = new Workflows(new Client({ connection: away }), away, TEST_SETTINGS, 500);
    const without = await TestApi.start({ workflows, dataSource: api.database.dataSource });
    try {
      const unreachable = new ApiClient({ url: without.url, key: api.key });
      const { id, status } = await unreachable.ask({ question: 'Why?' });
      expect(status).toBe('queued');
      await expect(unreachable.cancelFlow(id)).rejects.toMatchObject({ status: 503 });
      const reconciler = api.app.get(ReconcilerService);
      await Promise.all([reconciler.reconcile(), reconciler.reconcile()]);
      expect(await follow(id)).toEqual(['flow.queued', 'flow.completed']);
    } finally {
      await without.stop();
      await away.close();
    }
  });
});
