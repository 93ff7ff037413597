import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { query, scriptedActivities } from '../test/support/scripted-activities.js';
import { TEST_SETTINGS, WorkflowHarness } from '../test/support/workflow-harness.js';
import type { AgentActivities, Plan } from '../contracts/agent-activities.js';
import { FailureType } from '../contracts/failures.js';
import { flowSchema } from '../contracts/flow-config.js';
import type { AgentFlowInput } from '../contracts/flow.js';
import { AGENT_TASK_QUEUE, CONTROL_TASK_QUEUE, providerTaskQueue } from '../contracts/task-queues.js';

jest.setTimeout(120_000);

const FEW = providerTaskQueue('few');
const SLOW = providerTaskQueue('slow');
const llm = (model: string) => ({ engine: 'llm', model });

describe('task queues of providers with limits', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  }, 120_000);
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  async function start(
    agent: Partial<AgentActivities>,
    flow: Record<string, unknown>,
    settings: Partial<AgentFlowInput['settings']> = {},
  ) {
    const activities = scriptedActivities({ agent });
    await harness.work(activities);
    const id = `flow-${randomUUID()}`;
    const input: AgentFlowInput = {
      flow: { flowId: id, runId: id, runSeed: 0, purpose: 'evaluation', step: 0, group: 0, rollout: 0 },
      query: query('q'),
      model: 'tiny-random',
      config: flowSchema.parse(flow),
      greedy: true,
      score: true,
      settings: { ...TEST_SETTINGS, model_queues: { few: FEW, slow: SLOW }, ...settings },
    };
    const handle = await harness.client.workflow.start('agentFlow', {
      taskQueue: AGENT_TASK_QUEUE,
      workflowId: id,
      args: [input],
    });
    return { handle, activities: activities.agent };
  }

  async function scheduled(
    handle: Awaited<ReturnType<typeof start>>['handle'],
  ): Promise<(string | undefined | null)[][]> {
    const { events } = await handle.fetchHistory();
    return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: activity }) =>
      activity ? [[activity.activityType?.name, activity.taskQueue?.name]] : [],
    );
  }

  it('take the calls of language models, each its own, and no other call', async () => {
    const tools = ['calculator', 'generator'];
    const verdicts = ['CONTINUE', 'STOP'] as const;
    const { handle, activities } = await start(
      {
        planTurn: ({ turn }) => Promise.resolve({ ...PLAN, tool: tools[turn - 1] }),
        verifyTurn: ({ turn }) => Promise.resolve({ verdict: verdicts[turn - 1], critique: '', seconds: 0 }),
      },
      {
        tools,
        planner: llm('few'),
        verifier: llm('without-limits'),
        generator: llm('slow'),
        tool_engine: llm('slow'),
        outputs: ['direct', 'base'],
        scoring: { judge: { model: 'few' } },
      },
    );
    await harness.poll(FEW, activities);
    await harness.poll(SLOW, activities);
    expect(await handle.result()).toMatchObject({ outcome: 'answered', tools });
    expect(await scheduled(handle)).toEqual([
      ['analyseQuery', AGENT_TASK_QUEUE],
      ['planTurn', FEW],
      ['executeTurn', AGENT_TASK_QUEUE],
      ['verifyTurn', AGENT_TASK_QUEUE],
      ['planTurn', FEW],
      ['executeTurn', SLOW],
      ['verifyTurn', AGENT_TASK_QUEUE],
      ['generateAnswer', SLOW],
      ['generateAnswer', FEW],
      ['scoreAnswer', FEW],
      ['recordRollout', CONTROL_TASK_QUEUE],
    ]);
  });

  it('take the calls of every tool whose plan says that it asks a language model', async () => {
    const tools = ['calculator', 'interpreter'];
    const { handle, activities } = await start(
      {
        planTurn: ({ turn }) => {
          const asksModel = turn === 2 ? { asksModel: true } : {};
          return Promise.resolve({ ...PLAN, tool: tools[turn - 1], ...asksModel });
        },
        verifyTurn: ({ turn }) =>
          Promise.resolve({ verdict: turn === 2 ? 'STOP' : 'CONTINUE', critique: '', seconds: 0 }),
      },
      { tools, tool_engine: llm('slow') },
    );
    await harness.poll(SLOW, activities);
    await handle.result();
    const executions = (await scheduled(handle)).filter(([name]) => name === 'executeTurn');
    expect(executions.map(([, queue]) => queue)).toEqual([AGENT_TASK_QUEUE, SLOW]);
  });

  it('take the call of an executor, whatever its tool does', async () => {
    const { handle, activities } = await start({}, { executor: llm('few'), tool_engine: llm('slow') });
    await harness.poll(FEW, activities);
    await handle.result();
    expect(await scheduled(handle)).toContainEqual(['executeTurn', FEW]);
  });

  it('I2: a call that waits past all patience is neither failed nor excluded: it waits on once the queue is known to be polled', async () => {
    const asked: string[] = [];
    const { handle } = await start(
      {
        requireQueue: async ({ queue, model }) => {
          asked.push(`${model} on ${queue}`);
          if (asked.length === 2) await harness.poll(FEW, scriptedActivities().agent);
        },
      },
      { planner: llm('few') },
      { patience_s: 1 },
    );
    expect(await handle.result()).toMatchObject({ outcome: 'answered' });
    expect(asked).toEqual([`few on ${FEW}`, `few on ${FEW}`]);
  });

  it('a queue that no worker polls ends the flow with a failure of the closed list', async () => {
    const refused = ApplicationFailure.nonRetryable('nobody polls it', FailureType.BadConfiguration);
    const { handle } = await start(
      { requireQueue: () => Promise.reject(refused) },
      { planner: llm('few') },
      { patience_s: 1 },
    );
    await expect(handle.result()).rejects.toMatchObject({
      cause: { cause: { type: FailureType.BadConfiguration, message: 'nobody polls it' } },
    });
  });

  it('I2: a call that goes on failing there is excluded past all patience', async () => {
    const { handle } = await start({}, { planner: llm('few') }, { patience_s: 1 });
    await harness.poll(FEW, { planTurn: () => Promise.reject(new Error('connection refused')) });
    expect(await handle.result()).toMatchObject({ outcome: 'infrastructure' });
  });
});

const PLAN: Plan & { seconds: number } = {
  text: 'a plan',
  subGoal: '1 + 1',
  finishReason: 'stop',
  sampledTokens: 0,
  seconds: 0,
};
