import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { scriptedActivities } from '../../test/support/scripted-activities.js';
import { Gate } from '../../test/support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../../test/support/workflow-harness.js';
import { FailureType } from '../../workflows/contracts/failures.js';
import { FlowReconcilerService } from '../agent-flows/flow-reconciler.service.js';
import { ApiClient } from '../cli/client/api-client.js';
import { TestApi } from '../testing/test-api.js';
import { FlowWorkflows } from './flow-workflows.js';

const TOO_LONG = ApplicationFailure.nonRetryable('9000 tokens', FailureType.PromptTooLong);
const SPENT = ApplicationFailure.nonRetryable('the budget of 10 calls is spent', FailureType.BudgetSpent);

describe(FlowWorkflows, () => {
  let harness: WorkflowHarness;
  let api: TestApi;
  let client: ApiClient;
  let nextPlan: () => Promise<unknown> = () => Promise.resolve();

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    const flows = new FlowWorkflows(harness.client, harness.environment.connection, TEST_SETTINGS);
    api = await TestApi.start({ flows });
    client = new ApiClient({ url: api.url, key: api.key });
    const setFlowStatus = async (input: Parameters<typeof writeFlowStatus>[1]): Promise<void> =>
      void (await writeFlowStatus(api.database.dataSource, input));
    const scripted = scriptedActivities({ agent: { setFlowStatus } });
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = async (input) => {
      await nextPlan();
      return planTurn(input);
    };
    await harness.work(scripted);
  });
  afterAll(async () => {
    await api?.stop();
    await harness?.stop();
  });

  const ask = () => client.ask({ question: 'What is 1 plus 1?', model: 'tiny-random' });
  const follow = async (id: string): Promise<string[]> => {
    const types: string[] = [];
    for await (const { type } of client.followFlow(id)) types.push(type);
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
    await expect(client.cancelFlow(id)).rejects.toMatchObject({ status: 409, body: { error: { code: 'flow_ended' } } });
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

  it.each([
    [
      'a first prompt that does not fit',
      TOO_LONG,
      { outcome: 'prompt_too_long', failure: { type: 'prompt_too_long' } },
    ],
    ['a budget that is spent', SPENT, { outcome: null, failure: { type: 'BudgetSpent', message: SPENT.message } }],
  ])('I2: fails without an answer on %s', async (_, failure, told) => {
    nextPlan = () => Promise.reject(failure);
    const { id } = await ask();
    expect((await follow(id)).at(-1)).toBe('flow.failed');
    expect(await client.getFlow(id)).toMatchObject({ status: 'failed', answer: null, ...told });
    nextPlan = () => Promise.resolve();
  });

  it('reconciles flows that stayed queued without a Temporal server', async () => {
    const away = Connection.lazy({ address: '127.0.0.1:9' });
    const flows = new FlowWorkflows(new Client({ connection: away }), away, TEST_SETTINGS, 500);
    const without = await TestApi.start({ flows, dataSource: api.database.dataSource });
    try {
      const unreachable = new ApiClient({ url: without.url, key: api.key });
      const { id, status } = await unreachable.ask({ question: 'Why?' });
      expect(status).toBe('queued');
      await expect(unreachable.cancelFlow(id)).rejects.toMatchObject({ status: 503 });
      const reconciler = api.app.get(FlowReconcilerService);
      await Promise.all([reconciler.reconcile(), reconciler.reconcile()]);
      expect(await follow(id)).toEqual(['flow.queued', 'flow.completed']);
    } finally {
      await without.stop();
      await away.close();
    }
  });
});
