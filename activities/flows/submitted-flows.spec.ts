import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { evaluationConfigSchema } from '../../contracts/evaluation-config.js';
import type { FlowRef } from '../../contracts/flow.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import { AgentFlow, BenchmarkEvaluation, TrainingRun } from '../../infra/database/entities/index.js';
import { createTestDatabase, type TestDatabase } from '../../infra/database/testing/test-database.js';
import { submittedFlowsOnly } from './submitted-flows.js';

const config = runConfigSchema.parse({ model: 'small', steps: 3, flow: { budget: { calls: 10 } } });
const { flow } = config;
const train: FlowRef = {
  flowId: 'run-open/2/0/1',
  runId: 'run-open',
  runSeed: 0,
  purpose: 'train',
  step: 2,
  group: 0,
  rollout: 1,
};
const ask: FlowRef = { ...train, flowId: 'flow-open', runId: 'flow-open', purpose: 'ask', step: 0 };
const asked = { question: 'What is the area of Hexley?' };

describe(submittedFlowsOnly, () => {
  let database: TestDatabase;
  let reached: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    const { manager } = database.dataSource;
    const common = { project: 'other', name: 'n', status: 'running' as const, configSha256: '' };
    for (const [id, finishedAt] of [
      ['open', null],
      ['over', new Date()],
    ] as const) {
      await manager.save(manager.create(TrainingRun, { ...common, id: `run-${id}`, config, steps: 3, finishedAt }));
      const evaluation = evaluationConfigSchema.parse({ model: 'small', benchmarks: [{ name: 'atlas' }], flow });
      await manager.save(
        manager.create(BenchmarkEvaluation, { ...common, id: `eval-${id}`, config: evaluation, finishedAt }),
      );
      await manager.save(
        manager.create(AgentFlow, {
          ...{ id: `flow-${id}`, project: 'other', model: 'small', config: flow, status: 'running', finishedAt },
          ...{ ...asked, images: [], dataset: { name: 'atlas', seed: 7 } },
        }),
      );
    }
  });
  afterAll(() => database.drop());
  beforeEach(() => void (reached = []));

  /** Calls an activity in a workflow; by default in that of the flow and with what was submitted. */
  function call(name: string, ref: FlowRef, more: object = {}, workflowId = ref.flowId): Promise<unknown> {
    const activity = async () => void reached.push(name);
    const activities = submittedFlowsOnly<Record<string, (input: object) => Promise<unknown>>>(
      { [name]: activity },
      database.dataSource,
    );
    const parts: Record<string, object> = {
      analyseQuery: { module: flow.query_analysis, tools: flow.tools },
      planTurn: { planner: flow.planner, tools: flow.tools },
      executeTurn: { module: flow.executor, toolEngine: flow.tool_engine, tool: flow.tools[0] },
      verifyTurn: { module: flow.verifier, tools: flow.tools },
      generateAnswer: { module: flow.generator, planner: flow.planner },
      scoreAnswer: { reward: flow.scoring.reward },
    };
    const input = { flow: ref, model: 'small', query: asked, budget: flow.budget, ...parts[name], ...more };
    const environment = new MockActivityEnvironment({ workflowExecution: { workflowId, runId: 'any' } });
    return environment.run(() => activities[name](input));
  }

  it.each(['analyseQuery', 'planTurn', 'executeTurn', 'verifyTurn', 'generateAnswer', 'scoreAnswer'])(
    'lets %s of a submitted rollout, question and evaluation pass',
    async (name) => {
      await call(name, train);
      await call(name, ask);
      await call(name, { ...train, purpose: 'evaluation', flowId: 'run-open/eval/2/policy/7' });
      await call(name, { ...train, purpose: 'evaluation', flowId: 'eval-open/0/7/0', runId: 'eval-open', step: 0 });
      expect(reached).toHaveLength(4);
    },
  );

  it.each<[string, FlowRef]>([
    ['nobody submitted', { ...ask, flowId: 'flow-made-up', runId: 'flow-made-up' }],
    ['is over', { ...ask, flowId: 'flow-over', runId: 'flow-over' }],
    ['is of a run that nobody submitted', { ...train, flowId: 'run-none/2/0/1', runId: 'run-none' }],
    ['is of a run that is over', { ...train, flowId: 'run-over/2/0/1', runId: 'run-over' }],
    ['is of a step that its run does not have', { ...train, flowId: 'run-open/4/0/1', step: 4 }],
    [
      'is of an evaluation that is over',
      { ...train, purpose: 'evaluation', flowId: 'eval-over/0/0/0', runId: 'eval-over' },
    ],
    ['would spend the budget of another run', { ...ask, runId: 'run-open' }],
    ['claims coordinates that are not its own', { ...train, flowId: 'run-open/2/0/9' }],
    ['lies below no run', { ...train, purpose: 'evaluation', flowId: 'run-opener/eval/0/policy/1' }],
  ])('refuses a flow that %s, before anything is asked', async (_, ref) => {
    await expect(call('executeTurn', ref)).rejects.toMatchObject({ type: 'NotFound' });
    expect(reached).toEqual([]);
  });

  it('refuses a flow that another workflow claims to be', async () => {
    await expect(call('executeTurn', train, {}, 'started-by-hand')).rejects.toMatchObject({ type: 'NotFound' });
    expect(reached).toEqual([]);
  });

  it.each<[string, string, object]>([
    ['model', 'planTurn', { model: 'larger' }],
    ['module', 'analyseQuery', { module: { ...flow.query_analysis, engine: 'llm', model: 'dear' } }],
    ['planner', 'planTurn', { planner: { engine: 'llm', model: 'dear' } }],
    ['toolEngine', 'executeTurn', { toolEngine: { engine: 'llm', model: 'dear' } }],
    ['tool', 'executeTurn', { tool: 'shell' }],
    ['tools', 'planTurn', { tools: [...flow.tools, 'shell'] }],
    ['judge', 'scoreAnswer', { judge: { model: 'dear' } }],
    ['undecided', 'scoreAnswer', { undecided: 'exclude' }],
    ['reward', 'scoreAnswer', { reward: 'f1' }],
    ['question', 'planTurn', { query: { question: 'Another one?' } }],
    ['budget', 'planTurn', { budget: undefined }],
    ['budget', 'planTurn', { budget: { calls: 15 } }],
    ['budget', 'planTurn', { budget: { tokens: 10 } }],
  ])('refuses another %s than was submitted', async (differing, name, more) => {
    await expect(call(name, ask, more)).rejects.toMatchObject({
      type: 'BadConfiguration',
      message: expect.stringContaining(`another ${differing} than`),
    });
    expect(reached).toEqual([]);
  });

  it('lets a resumption grant the budget once more, and an evaluation have a yardstick plan', async () => {
    await call('planTurn', ask, { budget: { calls: 30 } });
    const evaluation: FlowRef = { ...train, purpose: 'evaluation', flowId: 'run-open/eval/0/random/7' };
    await call('planTurn', evaluation, { planner: { engine: 'random' } });
    await expect(call('planTurn', train, { planner: { engine: 'random' } })).rejects.toThrow(/another planner/);
    expect(reached).toHaveLength(2);
  });

  it('leaves calls alone that are of no module', async () => {
    await call('recordRollout', { ...ask, flowId: 'flow-made-up' });
    expect(reached).toEqual(['recordRollout']);
  });
});
