import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { executionsOf, MAX_PAYLOAD_BYTES } from '../test/support/executions.js';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import { searchAttributes } from '../contracts/search-attributes.js';
import { AGENT_TASK_QUEUE } from '../contracts/task-queues.js';

jest.setTimeout(900_000);

const MAX_EVENTS = 4096;

describe('a long trainingRun', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  });
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  async function start(steps: number) {
    const scripted = scriptedActivities();
    await harness.work(scripted);
    const input = tinyRun(steps);
    const handle = await harness.client.workflow.start('trainingRun', {
      taskQueue: AGENT_TASK_QUEUE,
      workflowId: input.runId,
      args: [input],
      typedSearchAttributes: [{ key: searchAttributes.project, value: 'team' }],
    });
    return { handle, calls: scripted.calls, result: () => handle.result() };
  }

  it('I6: 200 steps stay small in every execution, across continue-as-new', async () => {
    const { handle, result } = await start(200);
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 200 });
    const executions = await executionsOf(harness, handle.workflowId);
    expect(executions.length).toBeGreaterThan(1);
    for (const { events, largestPayload } of executions) {
      expect(events).toBeLessThan(MAX_EVENTS);
      expect(largestPayload).toBeLessThan(MAX_PAYLOAD_BYTES);
    }
  });

  it('loses no message that arrives around continue-as-new, nor its project', async () => {
    const { handle, calls, result } = await start(60);
    let sent = 0;
    for (let rate = 1; rate <= 40; rate++) {
      await handle.executeUpdate('setLearningRate', { args: [rate / 1000] });
      sent = rate / 1000;
    }
    await expect(result()).resolves.toMatchObject({ step: 60 });
    expect((await executionsOf(harness, handle.workflowId)).length).toBeGreaterThan(1);
    const { typedSearchAttributes } = await handle.describe();
    expect(typedSearchAttributes.get(searchAttributes.project)).toBe('team');
    const rates = calls.batches.map((batch) => batch.training.learning_rate);
    expect(rates.at(-1)).toBe(sent);
    expect([...rates].slice(1).every((rate, i) => rates[i] === 1e-4 || rate >= rates[i])).toBe(true);
  });
});
