import { randomUUID } from 'node:crypto';
import { it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import type { SetEvaluationStatusInput } from '../contracts/benchmark-evaluation.js';
import { evaluationConfigSchema } from '../contracts/evaluation-config.js';
import { FailureType } from '../contracts/failures.js';
import { flowSchema } from '../contracts/flow-config.js';
import { placeOf, type AgentFlowInput } from '../contracts/flow.js';
import type { PolicyExportInput } from '../contracts/policy-export.js';
import { runConfigSchema } from '../contracts/run-config.js';
import { AGENT_TASK_QUEUE } from '../contracts/task-queues.js';
import { DATASET_CHECK_WORKFLOW, type DatasetCheckInput } from '../contracts/uploaded-dataset.js';
import { WEBHOOK_DELIVERY_WORKFLOW, type WebhookDeliveryInput } from '../contracts/webhooks.js';
import { writeHistory } from './support/histories.js';
import { query, scriptedActivities, type ScriptedActivities } from './support/scripted-activities.js';
import { Gate, startRun, until, untilStatus, untilStep } from './support/started-run.js';
import { tinyRun } from './support/tiny-run.js';
import { TEST_SETTINGS, WorkflowHarness } from './support/workflow-harness.js';

jest.setTimeout(300_000);

/** Enough for the run to continue as new. */
const STEPS = 60;

/** Not a test: `npm run histories:record` writes test/histories anew, after a change that old runs need not survive. */
it('records a history of every workflow', async () => {
  const harness = await WorkflowHarness.start();
  try {
    await record(harness);
    for (const troubled of [
      decided,
      allowed,
      recorded,
      lost,
      held,
      cancelled,
      late,
      paused,
      asked,
      delivered,
      checked,
      exported,
    ]) {
      await harness.stopWorkers();
      await troubled(harness, scriptedActivities());
    }
  } finally {
    await harness.stop();
  }
});

async function record(harness: WorkflowHarness): Promise<void> {
  await harness.work(scriptedActivities({ agent: { verifyTurn: secondTurnStops } }));
  const runId = `run-${randomUUID().slice(0, 8)}`;
  const config = runConfigSchema.parse({
    model: 'tiny-random',
    steps: STEPS,
    training: { queries_per_step: 1, group_size: 2 },
    evaluation: { questions: 3, yardsticks: false },
  });
  const handle = await harness.client.workflow.start('trainingRun', {
    taskQueue: AGENT_TASK_QUEUE,
    workflowId: runId,
    args: [{ runId, config, settings: TEST_SETTINGS }],
  });
  await handle.executeUpdate('pause', { args: [{ now: true }] });
  await handle.executeUpdate('resume');
  await handle.executeUpdate('setLearningRate', { args: [2e-4] });
  await handle.result();
  await save(harness, 'agentFlow', `${runId}/1/0/0`);
  await save(harness, 'rolloutGroup', `${runId}/1/0`);
  await save(harness, 'evaluation', `${runId}/eval/0/policy`);
  await save(harness, 'trainingRun', runId);
  await recordEvaluation(harness);
}

async function recordEvaluation(harness: WorkflowHarness): Promise<void> {
  const id = `eval-${randomUUID().slice(0, 8)}`;
  const benchmarks = [{ name: 'atlas', questions: 3 }];
  const config = evaluationConfigSchema.parse({ model: 'tiny-random', benchmarks, policies: ['base', 'run-a@1'] });
  await harness.client.workflow.execute('benchmarkEvaluation', {
    taskQueue: AGENT_TASK_QUEUE,
    workflowId: id,
    args: [{ id, config, settings: TEST_SETTINGS }],
  });
  await save(harness, 'benchmarkEvaluation', id);
  await save(harness, 'evaluationCell', `${id}/1`);
}

/** A run that over-samples, waits for a decision, grows, and is stopped. */
async function decided(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  scripted.agent.scoreAnswer = ({ flow }) =>
    Promise.resolve({ reward: placeOf(flow).group === 1 ? 1 : placeOf(flow).rollout % 2, reason: 'scripted' });
  const { trainStep } = scripted.trainer;
  scripted.trainer.trainStep = (request) =>
    scripted.calls.batches.length === 1 ? Promise.reject(notFinite()) : trainStep(request);
  const training = { queries_per_step: 2, group_size: 2, groups: { over_sample: 3 } };
  const { handle, result } = await startRun(harness, tinyRun(1, 2, { training }), scripted);
  await untilStatus(handle, 'paused');
  await handle.executeUpdate('extend', { args: [40] });
  await handle.executeUpdate('decide', { args: [{ kind: 'skip-group' }] });
  await untilStep(handle, 1);
  await handle.executeUpdate('stopAfterStep');
  await result();
  await save(harness, 'trainingRun.decided', handle.workflowId);
}

/** A fork with a reference of its own that goes on with other prompts. */
async function allowed(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  let prompts = 'old';
  scripted.agent.resolveIdentity = () => Promise.resolve({ model: 'tiny-random', module_prompts: prompts });
  const { planTurn } = scripted.agent;
  scripted.agent.planTurn = (input) => {
    if (input.flow.purpose === 'train' && input.flow.step === 2) prompts = 'new';
    if (input.flow.identity?.module_prompts === prompts) return planTurn(input);
    return Promise.reject(ApplicationFailure.nonRetryable('other prompts', FailureType.WrongIdentity));
  };
  const training = { queries_per_step: 1, group_size: 2, kl: { reference: 'parent@1' } };
  const fork = { training, from: { policy: 'parent@3' } };
  const { handle, result } = await startRun(harness, tinyRun(2, 1, fork), scripted);
  await untilStatus(handle, 'paused');
  await handle.executeUpdate('resume', { args: [{ allow: ['prompts'] }] });
  await result();
  await save(harness, 'trainingRun.allowed', handle.workflowId);
}

/** A run that learns from recorded trajectories. */
async function recorded(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  const sft = { training: { objective: 'sft', samples_per_step: 2, trajectories: { run: 'teacher' } } };
  const { handle, result } = await startRun(harness, tinyRun(2, 1, sft), scripted);
  await result();
  await save(harness, 'trainingRun.sft', handle.workflowId);
}

/** A run whose first rollouts are all lost to an outage. */
async function lost(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  let isDown = true;
  const { planTurn } = scripted.agent;
  scripted.agent.planTurn = (input) =>
    isDown && input.flow.purpose === 'train' ? Promise.reject(new Error('connection refused')) : planTurn(input);
  const input = tinyRun(1);
  const impatient = { ...input, settings: { ...TEST_SETTINGS, patience_s: 3 } };
  const { handle, result } = await startRun(harness, impatient, scripted);
  await untilStatus(handle, 'paused');
  isDown = false;
  await handle.executeUpdate('resume');
  await result();
  await save(harness, 'trainingRun.lost', handle.workflowId);
  await save(harness, 'agentFlow.lost', `${input.runId}/1/0/0`);
}

/** A held-out evaluation that is held, and goes on. */
async function held(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  const gate = new Gate();
  const { planTurn } = scripted.agent;
  scripted.agent.planTurn = async (input) => {
    await gate.passed();
    return planTurn(input);
  };
  const { handle, result } = await startRun(harness, tinyRun(1), scripted);
  await gate.someoneWaits();
  await handle.executeUpdate('pause', { args: [{ now: true }] });
  gate.open();
  await handle.executeUpdate('resume');
  await result();
  await save(harness, 'trainingRun.held', handle.workflowId);
  await save(harness, 'evaluation.held', `${handle.workflowId}/eval/0/policy`);
}

async function cancelled(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  const { handle, result } = await startRun(harness, tinyRun(1000), scripted);
  await untilStep(handle, 2);
  await handle.cancel();
  await result();
  await save(harness, 'trainingRun.cancelled', handle.workflowId);
}

/** A group whose deadline passes. */
async function late(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  const gate = new Gate();
  const { planTurn } = scripted.agent;
  scripted.agent.planTurn = async (input) => {
    if (input.flow.purpose === 'train' && input.flow.rollout === 1) await gate.passed();
    return planTurn(input);
  };
  const input = tinyRun(1);
  const { handle } = await startRun(
    harness,
    { ...input, settings: { ...TEST_SETTINGS, group_deadline_s: 2 } },
    scripted,
  );
  await untilStatus(handle, 'paused');
  gate.open();
  await save(harness, 'rolloutGroup.late', `${input.runId}/1/0`);
  await handle.terminate();
}

/** An evaluation on benchmarks that pauses in a cell and for its report. */
async function paused(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  const statuses: SetEvaluationStatusInput[] = [];
  scripted.agent.setEvaluationStatus = async (input) => void statuses.push(input);
  const pausedTimes = (times: number) =>
    until(async () => statuses.filter(({ status }) => status === 'paused').length === times);
  let works = 0;
  const { scoreAnswer, reportEvaluation } = scripted.agent;
  scripted.agent.scoreAnswer = (input) => (works < 1 ? Promise.reject(spent()) : scoreAnswer(input));
  scripted.agent.reportEvaluation = (input) => (works < 2 ? Promise.reject(spent()) : reportEvaluation(input));
  await harness.work(scripted);
  const id = `eval-${randomUUID().slice(0, 8)}`;
  const benchmarks = [{ name: 'atlas', questions: 2 }];
  const config = evaluationConfigSchema.parse({
    model: 'tiny-random',
    benchmarks,
    flow: { budget: { tokens: 5 } },
  });
  const handle = await harness.client.workflow.start('benchmarkEvaluation', {
    taskQueue: AGENT_TASK_QUEUE,
    workflowId: id,
    args: [{ id, config, settings: TEST_SETTINGS }],
  });
  for (const times of [1, 2]) {
    await pausedTimes(times);
    if (times === 1) await save(harness, 'evaluationCell.stopped', `${id}/0`);
    works = times;
    await handle.executeUpdate('resume');
  }
  await handle.result();
  await save(harness, 'benchmarkEvaluation.paused', id);
}

/** A question that pauses for a spent budget, and is answered. */
async function asked(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  const { generateAnswer } = scripted.agent;
  scripted.agent.generateAnswer = (input) =>
    input.budget?.tokens === 5 ? Promise.reject(spent()) : generateAnswer(input);
  await harness.work(scripted);
  const flowId = `flow-${randomUUID().slice(0, 8)}`;
  const input: AgentFlowInput = {
    flow: { flowId, runId: flowId, runSeed: 1, purpose: 'ask' },
    query: query('asked'),
    model: 'tiny-random',
    config: flowSchema.parse({ budget: { tokens: 5 }, outputs: ['direct', 'base'] }),
    greedy: false,
    score: false,
    settings: TEST_SETTINGS,
  };
  const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: flowId, args: [input] };
  const handle = await harness.client.workflow.start('agentFlow', options);
  await until(() => Promise.resolve(scripted.calls.flowStatuses.at(-1)?.status === 'paused'));
  await handle.executeUpdate('resume');
  await handle.result();
  await save(harness, 'agentFlow.asked', flowId);
}

/** A delivery to a webhook that is taken at the third attempt. */
async function delivered(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  let attempts = 0;
  scripted.agent.attemptDelivery = () => Promise.resolve(++attempts < 3 ? { nextInMs: 100 } : {});
  await harness.work(scripted);
  const id = `delivery-${randomUUID().slice(0, 8)}`;
  const input: WebhookDeliveryInput = { id, replay: 0, settings: TEST_SETTINGS };
  const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: `${id}/0`, args: [input] };
  await harness.client.workflow.execute(WEBHOOK_DELIVERY_WORKFLOW, options);
  await save(harness, 'webhookDelivery', `${id}/0`);
}

/** The check of an uploaded dataset. */
async function checked(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  await harness.work(scripted);
  const id = `dataset-${randomUUID().slice(0, 8)}`;
  const input: DatasetCheckInput = { id, settings: TEST_SETTINGS };
  const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: id, args: [input] };
  await harness.client.workflow.execute(DATASET_CHECK_WORKFLOW, options);
  await save(harness, 'datasetCheck', id);
}

/** A policy that is exported. */
async function exported(harness: WorkflowHarness, scripted: ScriptedActivities): Promise<void> {
  await harness.work(scripted);
  const id = `export-${randomUUID().slice(0, 8)}`;
  const input: PolicyExportInput = { id, policy: 'run-a@1', merged: false, settings: TEST_SETTINGS };
  const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: id, args: [input] };
  await harness.client.workflow.execute('policyExport', options);
  await save(harness, 'policyExport', id);
}

function notFinite(): ApplicationFailure {
  return ApplicationFailure.nonRetryable('not finite', FailureType.NonFiniteLoss, { groups: [0] });
}

function spent(): ApplicationFailure {
  return ApplicationFailure.nonRetryable('the budget is spent', FailureType.BudgetSpent);
}

/** Every execution of the workflow id: `name`, or `name.1`, `name.2`, ... where it continued as new. */
async function save(harness: WorkflowHarness, name: string, workflowId: string): Promise<void> {
  const executions: { runId: string; startTime: Date }[] = [];
  for await (const execution of harness.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    executions.push(execution);
  }
  executions.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
  for (const [i, { runId }] of executions.entries()) {
    const history = await harness.client.workflow.getHandle(workflowId, runId).fetchHistory();
    writeHistory(executions.length === 1 ? name : `${name}.${i + 1}`, history);
  }
}

function secondTurnStops({ turn }: { turn: number }) {
  const verdict = turn === 1 ? ('CONTINUE' as const) : ('STOP' as const);
  return Promise.resolve({ verdict, critique: 'scripted', seconds: 0 });
}
