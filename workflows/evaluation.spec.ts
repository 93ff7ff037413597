import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { executionsOf, MAX_PAYLOAD_BYTES } from '../test/support/executions.js';
import { query, scriptedActivities } from '../test/support/scripted-activities.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import { AGENT_TASK_QUEUE } from '../contracts/task-queues.js';
import type { EvaluationInput, EvaluationSummary } from '../contracts/training-run.js';

jest.setTimeout(300_000);

/** As long as the longest of published benchmarks. */
const QUESTION = 'x'.repeat(3 * 1024);

describe('evaluation', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  });
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  /** Evaluates on so many questions of a dataset of `size`. */
  async function evaluate(questions: number, size: number, question = QUESTION) {
    const scripted = scriptedActivities({
      agent: {
        evaluationQueries: async ({ offset, count, bytes = Infinity }) => {
          const most = Math.max(1, Math.floor(bytes / (question.length + 200)));
          const length = Math.max(0, Math.min(count, size - offset, most));
          return Array.from({ length }, (_, i) => ({ ...query(`q-${offset + i}`), question }));
        },
      },
    });
    await harness.work(scripted);
    const { runId, config, settings } = tinyRun(1, 1, { evaluation: { questions, yardsticks: false } });
    const workflowId = `${runId}/eval/0/policy-${randomUUID()}`;
    const policy = { name: `${runId}@0`, sha256: 'a'.repeat(64) };
    const input: EvaluationInput = { runId, runSeed: 0, step: 0, planner: 'policy', policy, config, settings };
    const options = { taskQueue: AGENT_TASK_QUEUE, workflowId, args: [input] };
    const result = (await harness.client.workflow.execute('evaluation', options)) as EvaluationSummary;
    return { result, asked: scripted.calls.rollouts.map(({ query: { id } }) => id), workflowId };
  }

  it('I6: asks every question once, and gets them in answers that stay small', async () => {
    const { result, asked, workflowId } = await evaluate(120, 1000);
    expect(result.questions).toBe(120);
    expect(new Set(asked)).toEqual(new Set(Array.from({ length: 120 }, (_, i) => `q-${i}`)));
    for (const { largestPayload } of await executionsOf(harness, workflowId)) {
      expect(largestPayload).toBeLessThan(MAX_PAYLOAD_BYTES);
    }
  });

  it('I6: gets long questions in answers of fewer, and asks each of them once', async () => {
    const { result, asked, workflowId } = await evaluate(8, 8, 'x'.repeat(60 * 1024));
    expect(result.questions).toBe(8);
    expect([...asked].sort()).toEqual(Array.from({ length: 8 }, (_, i) => `q-${i}`));
    for (const { largestPayload } of await executionsOf(harness, workflowId)) {
      expect(largestPayload).toBeLessThan(MAX_PAYLOAD_BYTES);
    }
  });

  it('ends where the dataset ends', async () => {
    const { result, asked } = await evaluate(120, 7);
    expect(result.questions).toBe(7);
    expect(asked).toHaveLength(7);
  });
});
