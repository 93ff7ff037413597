import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { scriptedActivities, query } from '../test/support/scripted-activities.js';
import { TEST_SETTINGS, WorkflowHarness } from '../test/support/workflow-harness.js';
import type { RecordRolloutInput } from '../contracts/agent-activities.js';
import type { BenchmarkEvaluationInput, SetEvaluationStatusInput } from '../contracts/benchmark-evaluation.js';
import { evaluationConfigSchema } from '../contracts/evaluation-config.js';
import { AGENT_TASK_QUEUE } from '../contracts/task-queues.js';
import { placeOf } from '../contracts/flow.js';
import { searchAttributes } from '../contracts/search-attributes.js';

jest.setTimeout(300_000);

describe('benchmarkEvaluation', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  });
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  /** A benchmark of so many questions, and what was written about the evaluation. */
  async function evaluate(config: Record<string, unknown>, size: number, resolve = true, project?: string) {
    const statuses: SetEvaluationStatusInput[] = [];
    const reports: string[] = [];
    const scripted = scriptedActivities({
      agent: {
        evaluationQueries: async ({ offset, count }) =>
          Array.from({ length: Math.max(0, Math.min(count, size - offset)) }, (_, i) => query(`q-${offset + i}`)),
        setEvaluationStatus: async (input) => void statuses.push(input),
        reportEvaluation: async ({ id }) => {
          reports.push(id);
          return { cells: 1 };
        },
        ...(!resolve && { resolvePolicy: () => Promise.reject(new Error('down')) }),
      },
    });
    await harness.work(scripted);
    const input: BenchmarkEvaluationInput = {
      id: `eval-${randomUUID()}`,
      config: evaluationConfigSchema.parse({ model: 'tiny-random', benchmarks: [{ name: 'atlas' }], ...config }),
      settings: TEST_SETTINGS,
    };
    const handle = await harness.client.workflow.start('benchmarkEvaluation', {
      taskQueue: AGENT_TASK_QUEUE,
      workflowId: input.id,
      args: [input],
      typedSearchAttributes: project === undefined ? [] : [{ key: searchAttributes.project, value: project }],
    });
    return { handle, input, statuses, reports, rollouts: scripted.calls.rollouts };
  }

  it.each(['team', undefined])('has cells and flows of its own project: %s', async (project) => {
    const { handle, input, rollouts } = await evaluate({ policies: ['base'] }, 1, true, project);
    await handle.result();
    for (const id of [input.id, `${input.id}/0`, rollouts[0].flow.flowId]) {
      const { typedSearchAttributes } = await harness.client.workflow.getHandle(id).describe();
      expect(typedSearchAttributes.get(searchAttributes.project)).toBe(project);
    }
  });

  it('asks every question of every cell as often as there are trials, until the benchmark ends', async () => {
    const { handle, input, statuses, reports, rollouts } = await evaluate(
      { policies: ['base', 'run-a@3'], max_turns: [1, 2], trials: 2, greedy: false },
      3,
    );
    await handle.result();
    expect(new Set(rollouts.map(({ flow }) => flow.flowId)).size).toBe(2 * 2 * 3 * 2);
    expect(new Set(rollouts.map(place))).toEqual(
      new Set([0, 1, 2, 3].flatMap((cell) => [0, 1, 2].flatMap((q) => [0, 1].map((t) => `${cell}/q-${q}/${t}`)))),
    );
    expect(rollouts.every(({ flow }) => flow.runId === input.id && flow.purpose === 'evaluation')).toBe(true);
    expect(rollouts.filter(({ flow }) => placeOf(flow).step < 2).every(({ policy }) => policy === undefined)).toBe(
      true,
    );
    expect(
      rollouts.filter(({ flow }) => placeOf(flow).step >= 2).every(({ policy }) => policy?.name === 'run-a@3'),
    ).toBe(true);
    expect(statuses.map(({ status, version }) => [version, status])).toEqual([
      [1, 'running'],
      [2, 'completed'],
    ]);
    expect(reports).toEqual([input.id]);
  });

  it('I6: more questions than one execution takes go on in the next, and are all asked once', async () => {
    const { handle, input, rollouts } = await evaluate({ benchmarks: [{ name: 'atlas', questions: 260 }] }, 1000);
    await handle.result();
    expect(rollouts).toHaveLength(260);
    expect(new Set(rollouts.map(({ query: { id } }) => id)).size).toBe(260);
    const executions = harness.client.workflow.list({ query: `WorkflowId = '${input.id}/0'` });
    const found = [];
    for await (const execution of executions) found.push(execution);
    expect(found).toHaveLength(2);
  });

  it('cancelled, it says so, and makes no report', async () => {
    const { handle, statuses, reports } = await evaluate({ policies: ['run-a@3'] }, 3, false);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect(statuses.at(-1)).toMatchObject({ version: 2, status: 'cancelled' });
    expect(reports).toEqual([]);
  });
});

function place({ flow, query: { id } }: RecordRolloutInput): string {
  return `${placeOf(flow).step}/${id}/${placeOf(flow).rollout}`;
}
