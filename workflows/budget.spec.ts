import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { progress, startRun, until } from '../test/support/started-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import { FailureType } from './contracts/failures.js';

jest.setTimeout(180_000);

describe('the budget of a run', () => {
  let harness: WorkflowHarness;

  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  });
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  it('pauses the run when it is spent, and each resume grants it once more', async () => {
    const granted: (number | undefined)[] = [];
    const scripted = scriptedActivities();
    const { verifyTurn } = scripted.agent;
    scripted.agent.verifyTurn = (input) => {
      granted.push(input.budget?.calls);
      if ((input.budget?.calls ?? 0) < 30) throw ApplicationFailure.nonRetryable('spent', FailureType.BudgetSpent);
      return verifyTurn(input);
    };
    const { handle, result } = await startRun(harness, tinyRun(1, 1, { flow: { budget: { calls: 10 } } }), scripted);
    for (const times of [1, 2]) {
      await until(async () => granted.at(-1) === 10 * times && (await progress(handle)).status === 'paused');
      await handle.executeUpdate('resume');
    }
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 1 });
    expect(new Set(granted)).toEqual(new Set([10, 20, 30]));
  });
});
