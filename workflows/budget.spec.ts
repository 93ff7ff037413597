import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { progress, startRun, until } from '../test/support/started-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import { FailureType } from '../contracts/failures.js';

jest.setTimeout(180_000);

describe('the budget of a run', () => {
  let harness: WorkflowHarness;

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  });
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  it.each(['verifyTurn', 'scoreAnswer'] as const)(
    'pauses the run when %s finds it spent, and each resume grants it once more',
    async (name) => {
      const granted: (number | undefined)[] = [];
      const scripted = scriptedActivities();
      const activity = scripted.agent[name] as (input: { budget?: { calls?: number } }) => Promise<unknown>;
      const spending: typeof activity = (input) => {
        granted.push(input.budget?.calls);
        if ((input.budget?.calls ?? 0) < 30) throw ApplicationFailure.nonRetryable('spent', FailureType.BudgetSpent);
        return activity(input);
      };
      Object.assign(scripted.agent, { [name]: spending });
      const { handle, result } = await startRun(harness, tinyRun(1, 1, { flow: { budget: { calls: 10 } } }), scripted);
      for (const times of [1, 2]) {
        await until(async () => granted.at(-1) === 10 * times && (await progress(handle)).status === 'paused');
        await handle.executeUpdate('resume');
      }
      await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
      expect(new Set(granted)).toEqual(new Set([10, 20, 30]));
    },
  );
});
