import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { progress, startRun, untilStatus } from '../test/support/started-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import type { RunAgreement } from '../contracts/agent-activities.js';
import { FailureType } from '../contracts/failures.js';
import { placeOf } from '../contracts/flow.js';

jest.setTimeout(120_000);

const BEGAN_WITH = { planner_prompt: 'same', module_prompts: 'old', dataset_texts: 'same', reward: 'exact' };

describe('a run whose frozen modules get other prompts', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  }, 120_000);
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  /** Agent workers that refuse what they do not agree in, as real ones do. Others are deployed during step 2. */
  function deployment() {
    const deployed = { prompts: 'old' };
    const agreements: RunAgreement[] = [];
    const scripted = scriptedActivities();
    const { planTurn } = scripted.agent;
    scripted.agent.resolveIdentity = () =>
      Promise.resolve({ model: 'tiny-random', ...BEGAN_WITH, module_prompts: deployed.prompts });
    scripted.agent.planTurn = (input) => {
      const { step, rollout } = placeOf(input.flow);
      const { purpose } = input.flow;
      if (purpose === 'train' && step === 2 && rollout === 0 && agreements.length === 0) deployed.prompts = 'new';
      if (input.flow.identity?.module_prompts !== deployed.prompts) {
        agreements.push(input.flow);
        return Promise.reject(ApplicationFailure.nonRetryable('other prompts', FailureType.WrongIdentity));
      }
      return planTurn(input);
    };
    return { scripted, deployed, agreements };
  }

  it('I8: pauses before a turn is sampled, and goes on as if nothing had been when the old ones are back', async () => {
    const { scripted, deployed, agreements } = deployment();
    const { handle, calls, result } = await startRun(harness, tinyRun(3), scripted);
    await untilStatus(handle, 'paused');
    expect(await progress(handle)).toMatchObject({ step: 1, failure: { type: 'WrongIdentity' } });
    expect(agreements[0].identity).toEqual(BEGAN_WITH);
    deployed.prompts = 'old';
    await handle.executeUpdate('resume');
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 3 });
    expect(calls.batches.map(({ allowed }) => allowed)).toEqual([undefined, undefined, undefined]);
    expect(calls.allowances).toEqual([]);
  });

  it('I4: goes on with the new ones where they are allowed, which is an event and frozen with each batch', async () => {
    const { scripted } = deployment();
    const { handle, calls, result } = await startRun(harness, tinyRun(3), scripted);
    await untilStatus(handle, 'paused');
    await expect(handle.executeUpdate('resume', { args: [{ allow: ['prompts', 'reward'] }] })).rejects.toMatchObject({
      cause: { message: expect.stringContaining('reward did not change') },
    });
    await handle.executeUpdate('resume', { args: [{ allow: ['prompts'] }] });
    await expect(result()).resolves.toMatchObject({ status: 'completed', step: 3 });
    const changes = { parts: ['prompts'], was: { module_prompts: 'old' }, is: { module_prompts: 'new' } };
    expect(calls.allowances).toMatchObject([{ step: 2, ...changes }]);
    const identities = calls.batches.map(({ identity, allowed }) => [identity.module_prompts, allowed]);
    expect(identities).toEqual([
      ['old', undefined],
      ['old', { module_prompts: 'new' }],
      ['old', { module_prompts: 'new' }],
    ]);
    expect(calls.steps.map(({ identity }) => identity.module_prompts)).toEqual(['old', 'old', 'old']);
  });
});
