import { randomUUID } from 'node:crypto';
import { it, jest } from '@jest/globals';
import { evaluationConfigSchema } from '../workflows/contracts/evaluation-config.js';
import { runConfigSchema } from '../workflows/contracts/run-config.js';
import { AGENT_TASK_QUEUE } from '../workflows/contracts/task-queues.js';
import { writeHistory } from './support/histories.js';
import { scriptedActivities } from './support/scripted-activities.js';
import { TEST_SETTINGS, WorkflowHarness } from './support/workflow-harness.js';

jest.setTimeout(300_000);

/** Enough for the run to continue as new. */
const STEPS = 60;

/** Not a test: `npm run histories:record` writes test/histories anew, after a change that old runs need not survive. */
it('records a history of every workflow', async () => {
  const harness = await WorkflowHarness.start();
  try {
    await record(harness);
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
