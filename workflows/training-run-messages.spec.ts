import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { Gate, startRun, untilStatus, untilStep } from '../test/support/started-run.js';
import { tinyRun } from '../test/support/tiny-run.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';

jest.setTimeout(120_000);

describe('messages to a trainingRun', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  }, 120_000);
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  it('resumed and paused again before `paused` was written: says in the end that it is paused', async () => {
    const gate = new Gate();
    const scripted = scriptedActivities();
    const { setRunStatus } = scripted.agent;
    scripted.agent.setRunStatus = async (input) => {
      if (input.status === 'paused') await gate.passed();
      return setRunStatus(input);
    };
    const { handle, calls, result } = await startRun(harness, tinyRun(40), scripted);
    await untilStep(handle, 1);
    await handle.executeUpdate('pause', { args: [{}] });
    await gate.someoneWaits();
    await handle.executeUpdate('resume');
    const again = handle.executeUpdate('pause', { args: [{}] });
    await untilStatus(handle, 'pausing');
    gate.open();
    await again;
    await untilStatus(handle, 'paused');
    await handle.executeUpdate('resume');
    await handle.executeUpdate('stopAfterStep');
    await expect(result()).resolves.toMatchObject({ status: 'completed' });
    const versions = calls.statuses.map(({ version }) => version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  });

  it('takes a pause without options, as the Temporal UI sends it', async () => {
    const { handle, result } = await startRun(harness, tinyRun(40), scriptedActivities());
    expect(await handle.executeUpdate('pause')).toBe('pausing');
    await untilStatus(handle, 'paused');
    await handle.executeUpdate('stopAfterStep');
    await expect(result()).resolves.toMatchObject({ status: 'completed' });
  });
});
