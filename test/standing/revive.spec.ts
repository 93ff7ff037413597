import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Workflows } from '../../api/temporal/workflows.js';
import { runCli } from '../../cli/testing/test-cli.js';
import { startOrResume } from '../../cli/quickstart/start-or-resume.js';
import type { PlanTurnInput } from '../../contracts/agent-activities.js';
import { runConfigSchema } from '../../contracts/run-config.js';
import { TrainingRun, Turn } from '../../infra/database/entities/index.js';
import type { ScriptedActivities } from '../support/scripted-activities.js';
import { Gate, until } from '../support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../support/workflow-harness.js';
import { recordingActivities, RUN, startStanding, submit, type Standing } from './fixture.js';

jest.setTimeout(300_000);

describe('revive', () => {
  let harness: WorkflowHarness;
  let standing: Standing;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    standing = await startStanding(harness);
  });
  afterEach(async () => harness.stopWorkers());
  afterAll(async () => {
    await standing?.api.stop();
    await harness?.stop();
  });

  const handle = (id: string) => harness.client.workflow.getHandle(id);
  const ended = (id: string) =>
    until(async () => ['completed', 'failed', 'cancelled'].includes((await standing.client.getRun(id)).status));
  const row = (id: string) => standing.dataSource.getRepository(TrainingRun).findOneByOrFail({ id });

  /** Workers whose trainer stops at these steps until the gate is opened. */
  const workStoppingAt = async (...steps: number[]): Promise<{ gate: Gate; calls: ScriptedActivities['calls'] }> => {
    const gate = new Gate();
    const scripted = recordingActivities(standing.dataSource);
    const { trainStep } = scripted.trainer;
    scripted.trainer.trainStep = async (request) => {
      if (steps.includes(request.step)) await gate.passed();
      return trainStep(request);
    };
    await harness.work(scripted);
    return { gate, calls: scripted.calls };
  };
  /** A run that is dead in its second step, after these messages. */
  const deadInStep2 = async (message: (id: string) => Promise<unknown> = () => Promise.resolve()): Promise<string> => {
    const { gate } = await workStoppingAt(2);
    const { id } = await submit(standing.client);
    await gate.someoneWaits();
    await message(id);
    await handle(id).terminate('by hand');
    gate.open();
    await harness.stopWorkers();
    return id;
  };

  it('I4: goes on after the last committed step, with the learning rate, the steps and the identity that it had', async () => {
    const id = await deadInStep2(async (run) => {
      await standing.client.setLearningRate(run, 3e-5);
      await standing.client.extend(run, 4);
    });
    const before = await row(id);
    expect(before).toMatchObject({ status: 'running', step: 1, steps: 4 });
    const { calls } = await workStoppingAt();
    const { lines } = await runCli(standing.client.access, 'runs', 'revive', id, '--json');
    expect(JSON.parse(lines.join(''))).toMatchObject({ id, step: 1, failure: null });
    await ended(id);
    expect(await standing.client.getRun(id)).toMatchObject({ status: 'completed', step: 4, policy: `${id}@4` });
    expect(calls.inits).toEqual([]);
    expect(calls.steps.map(({ step }) => step)).toEqual([2, 3, 4]);
    expect(calls.steps[0]).toMatchObject({ parent_sha256: before.policySha256, identity: { dataset: 'scripted' } });
    expect(calls.batches.map(({ training }) => training.learning_rate)).toEqual([3e-5, 3e-5, 3e-5]);
    expect(calls.batches.map(({ identity }) => identity)).toEqual(Array(3).fill({ dataset: 'scripted' }));
    const steps = await standing.client.listSteps(id);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    const evaluations = await standing.client.listEvaluations(id);
    expect(evaluations.map(({ step }) => step).toSorted()).toEqual([0, 1, 2, 3, 4]);
    const types = (await standing.client.listEvents(id)).map(({ type }) => type);
    expect(types.filter((type) => type === 'step.completed')).toHaveLength(4);
    expect(types.filter((type) => type === 'evaluation.completed')).toHaveLength(5);
  });

  it('I3: asks no turn again that was finished, of the step in which the run died', async () => {
    const { gate, calls: first } = await workStoppingAt(2);
    const { id } = await submit(standing.client);
    await gate.someoneWaits();
    await handle(id).terminate('by hand');
    gate.open();
    await harness.stopWorkers();
    const { calls: second } = await workStoppingAt();
    await standing.client.act(id, 'revive');
    await ended(id);
    const flows = (plans: PlanTurnInput[]) =>
      plans.map(({ flow }) => flow.flowId).filter((flow) => flow.startsWith(id));
    expect(flows(first.plans).filter((flow) => flow.startsWith(`${id}/2/`))).toHaveLength(2);
    expect(flows(second.plans).filter((flow) => flows(first.plans).includes(flow))).toEqual([]);
  });

  it('makes up for an evaluation that was due after the last committed step', async () => {
    const gate = new Gate();
    const scripted = recordingActivities(standing.dataSource);
    const { evaluationQueries } = scripted.agent;
    const stops = { now: false };
    scripted.agent.evaluationQueries = async (input) => {
      if (stops.now) await gate.passed();
      return evaluationQueries(input);
    };
    const { trainStep } = scripted.trainer;
    scripted.trainer.trainStep = (request) => {
      stops.now = request.step === 2;
      return trainStep(request);
    };
    await harness.work(scripted);
    const { id } = await submit(standing.client);
    await gate.someoneWaits();
    await handle(id).terminate('by hand');
    gate.open();
    await harness.stopWorkers();
    expect(await row(id)).toMatchObject({ step: 2 });
    await workStoppingAt();
    await standing.client.act(id, 'revive');
    await ended(id);
    const evaluations = await standing.client.listEvaluations(id);
    expect(evaluations.map(({ step }) => step).toSorted()).toEqual([0, 1, 2, 3]);
  });

  it('is idempotent: several at once, by two API processes, give one workflow; an open one stays as it is', async () => {
    const id = await deadInStep2();
    const other = await startStanding(harness, standing);
    try {
      const { gate } = await workStoppingAt(2);
      const clients = [standing.client, other.client, standing.client, other.client];
      await Promise.all(clients.map((client) => client.act(id, 'revive')));
      await gate.someoneWaits();
      const { runId } = await handle(id).describe();
      await Promise.all(clients.map((client) => client.act(id, 'revive')));
      expect((await handle(id).describe()).runId).toBe(runId);
      gate.open();
      await ended(id);
      const queued = (await standing.client.listEvents(id)).filter(({ type }) => type === 'run.queued');
      expect(queued).toHaveLength(2);
    } finally {
      await other.api.stop();
    }
  });

  it('ends no children of a workflow that another API process has started meanwhile', async () => {
    const gate = new Gate();
    const scripted = recordingActivities(standing.dataSource);
    const { planTurn } = scripted.agent;
    scripted.agent.planTurn = async (input) => {
      await gate.passed();
      return planTurn(input);
    };
    await harness.work(scripted);
    const { id } = await submit(standing.client);
    await gate.someoneWaits();
    const query = `WorkflowId STARTS_WITH "${id}/" AND ExecutionStatus = "Running"`;
    const children = async () => (await harness.client.workflow.count(query)).count;
    await until(async () => (await children()) === 2); // the evaluation and its question
    // What the slower of two processes does that were asked to revive it.
    await new Workflows(harness.client, harness.environment.connection, TEST_SETTINGS).endChildren(id);
    gate.open();
    await ended(id);
    expect(await row(id)).toMatchObject({ status: 'completed', failure: null });
  });

  it('goes on with what the reconciler has ended, and with a run that was cancelled; not with one that is completed', async () => {
    const id = await deadInStep2();
    await standing.reconcile();
    await standing.reconcile();
    expect(await standing.client.getRun(id)).toMatchObject({ status: 'failed', step: 1 });
    const { gate } = await workStoppingAt(3);
    await standing.client.act(id, 'revive');
    await gate.someoneWaits();
    await standing.client.act(id, 'cancel');
    await ended(id);
    expect(await standing.client.getRun(id)).toMatchObject({ status: 'cancelled', step: 2 });
    gate.open();
    await until(async () => (await handle(id).describe()).status.name !== 'RUNNING');
    await standing.client.act(id, 'revive');
    await until(async () => (await standing.client.getRun(id)).status === 'completed');
    await expect(standing.client.act(id, 'revive')).rejects.toMatchObject({
      status: 409,
      message: `${id} is completed; it cannot be revived.`,
    });
  });

  it('goes on in a Temporal server whose database is lost', async () => {
    const id = await deadInStep2();
    const empty = await harness.elsewhere();
    const other = await startStanding(empty, standing);
    try {
      await other.reconcile();
      await other.reconcile();
      const { status, failure } = await standing.client.getRun(id);
      expect(status).toBe('failed');
      expect(failure?.message).toContain('the database of Temporal was lost');
      await empty.work(recordingActivities(standing.dataSource));
      await other.client.act(id, 'revive');
      await ended(id);
      expect(await standing.client.getRun(id)).toMatchObject({ status: 'completed', step: 3, failure: null });
    } finally {
      await other.api.stop();
      await empty.stop();
    }
  });

  it('goes on with a run of an older version, which kept no state: from its steps and events', async () => {
    const id = await deadInStep2();
    await standing.dataSource.getRepository(TrainingRun).update({ id }, { state: null });
    await standing.dataSource.query(
      `UPDATE training_steps SET metrics = jsonb_set(metrics, '{learning_rate}', '3e-5') WHERE run_id = $1`,
      [id],
    );
    const { calls } = await workStoppingAt();
    await standing.client.act(id, 'revive');
    await ended(id);
    expect(await standing.client.getRun(id)).toMatchObject({ status: 'completed', step: 3 });
    expect(calls.steps.map(({ step, identity }) => [step, identity])).toEqual([
      [2, { dataset: 'scripted' }],
      [3, { dataset: 'scripted' }],
    ]);
    expect(calls.batches.map(({ training }) => training.learning_rate)).toEqual([3e-5, 3e-5]);
  });

  it('lets the quickstart go on with a dead run, once, and leaves one alone that was cancelled', async () => {
    const config = runConfigSchema.parse(RUN);
    const id = await deadInStep2();
    await standing.reconcile();
    await standing.reconcile();
    await workStoppingAt();
    expect(await startOrResume(standing.client, config)).toMatchObject({ run: { id }, resumed: true });
    await ended(id);
    expect((await standing.client.getRun(id)).status).toBe('completed');
    await harness.stopWorkers();

    const cancelled = await deadInStep2();
    await standing.client.act(cancelled, 'cancel');
    const next = await startOrResume(standing.client, config);
    expect(next.resumed).toBe(false);
    expect(next.run.id).not.toBe(cancelled);
  });

  it('I3: goes on with a question from its finished turns, with the budget as often as it was granted', async () => {
    const gate = new Gate();
    const plans: PlanTurnInput[] = [];
    const work = async (stop: boolean) => {
      const scripted = recordingActivities(standing.dataSource, {
        agent: {
          planTurn: async (input) => {
            plans.push(input);
            if (stop && input.turn === 2) await gate.passed();
            return { text: 'x', tool: 'calculator', subGoal: '1', finishReason: 'stop', sampledTokens: 1, seconds: 0 };
          },
          verifyTurn: ({ turn }) =>
            Promise.resolve({ verdict: turn < 3 ? 'CONTINUE' : 'STOP', critique: '', seconds: 0 }),
        },
      });
      await harness.work(scripted);
    };
    await work(true);
    const { id } = await standing.client.ask({ question: 'Why?', model: 'tiny-random', flow: { max_turns: 3 } });
    await gate.someoneWaits();
    await handle(id).terminate('by hand');
    gate.open();
    await harness.stopWorkers();
    await standing.reconcile();
    await standing.reconcile();
    const lost = await standing.client.getFlow(id);
    expect(lost).toMatchObject({ status: 'failed', failure: { type: 'WorkflowLost' } });
    const told = await lastEvent(id);
    await standing.dataSource.query('UPDATE agent_flows SET budgets = 2 WHERE id = $1', [id]);
    // What the attempt wrote that was still at work when the flow was given up.
    await standing.dataSource.getRepository(Turn).delete({ flowId: id, turn: 2 });

    plans.length = 0;
    await work(false);
    await standing.client.reviveFlow(id);
    await until(async () => (await standing.client.getFlow(id)).status === 'completed');
    expect(plans.map(({ turn }) => turn)).toEqual([2, 3]);
    expect(await standing.client.getFlow(id)).toMatchObject({ turns: 3, failure: null });
    // Who has seen the first end sees the second.
    const after: string[] = [];
    for await (const { type } of standing.client.followFlow(id, { after: told })) after.push(type);
    expect(after).toEqual(['flow.completed']);
  });

  it('I3: goes on with an evaluation on benchmarks without asking a finished flow again', async () => {
    const gate = new Gate();
    const work = async (stop: boolean) => {
      const scripted = recordingActivities(standing.dataSource);
      scripted.agent.reportEvaluation = async ({ id }) => {
        if (stop) await gate.passed();
        await standing.dataSource.query(
          `UPDATE benchmark_evaluations SET report = '{"cells":[],"comparisons":[]}' WHERE id = $1`,
          [id],
        );
        return { cells: 0 };
      };
      await harness.work(scripted);
      return scripted.calls.plans;
    };
    const first = await work(true);
    const body = JSON.stringify({ model: 'tiny-random', benchmarks: [{ name: 'atlas', questions: 3 }] });
    const { id } = await standing.client.createEvaluation({ body, contentType: 'application/json' });
    await gate.someoneWaits();
    expect(first).toHaveLength(3);
    await handle(id).terminate('by hand');
    gate.open();
    await harness.stopWorkers();
    await standing.reconcile();
    await standing.reconcile();
    expect((await standing.client.getEvaluation(id)).status).toBe('failed');
    const second = await work(false);
    await standing.client.reviveEvaluation(id);
    await until(async () => (await standing.client.getEvaluation(id)).status === 'completed');
    expect(second).toEqual([]);
  });

  const lastEvent = async (id: string): Promise<number> => {
    const { body } = await standing.api.request('get', `/v1/agent_flows/${id}/events`).expect(200);
    return (body as { data: { sequence: number }[] }).data.at(-1)!.sequence;
  };
});
