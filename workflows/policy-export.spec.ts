import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../contracts/failures.js';
import { exportBegun } from '../contracts/messages.js';
import type { PolicyExportInput, SetExportStatusInput } from '../contracts/policy-export.js';
import { AGENT_TASK_QUEUE, CONTROL_TASK_QUEUE } from '../contracts/task-queues.js';
import type { ExporterActivities, ExportPolicyRequest } from '../contracts/trainer-activities.js';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { Gate, until } from '../test/support/started-run.js';
import { TEST_SETTINGS, WorkflowHarness } from '../test/support/workflow-harness.js';

jest.setTimeout(120_000);

const FILES = [{ name: 'manifest.json', bytes: 2, sha256: 'ab' }];

describe('policyExport', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
  });
  afterEach(() => harness.stopWorkers());
  afterAll(() => harness.stop());

  /** As the trainer does. */
  const tellBegun = () => {
    const { workflowId, runId } = Context.current().info.workflowExecution!;
    return harness.client.workflow.getHandle(workflowId, runId).signal(exportBegun);
  };

  /** @param exportPolicy undefined if no trainer is there */
  async function start(
    exportPolicy: ExporterActivities['exportPolicy'] | undefined,
    more: Partial<PolicyExportInput> = {},
  ) {
    const statuses: SetExportStatusInput[] = [];
    const scripted = scriptedActivities({
      agent: { setExportStatus: async (status) => void statuses.push(status) },
      exporter: { ...(exportPolicy && { exportPolicy }) },
    });
    if (exportPolicy) await harness.work(scripted);
    else for (const queue of [AGENT_TASK_QUEUE, CONTROL_TASK_QUEUE]) await harness.poll(queue, scripted.agent);
    const id = `export-${randomUUID()}`;
    const input: PolicyExportInput = { id, policy: 'run-a@3', merged: true, settings: TEST_SETTINGS, ...more };
    const options = { taskQueue: AGENT_TASK_QUEUE, workflowId: id, args: [input] };
    const handle = await harness.client.workflow.start('policyExport', options);
    return { id, handle, statuses };
  }

  it('has the files made, and tells of them with the status', async () => {
    const requests: ExportPolicyRequest[] = [];
    const { id, handle, statuses } = await start(async (request) => {
      requests.push(request);
      return { files: FILES };
    });
    await handle.result();
    expect(requests).toEqual([{ export_id: id, policy: 'run-a@3', merged: true }]);
    expect(statuses.map(({ version, status, files }) => [version, status, files])).toEqual([
      [1, 'running', undefined],
      [2, 'completed', FILES],
    ]);
  });

  it('is queued until a trainer begins it, and running once however often one does', async () => {
    const waits = new Gate();
    const begins = new Gate();
    const goesOn = new Gate();
    const { handle, statuses } = await start(async () => {
      waits.open();
      await begins.passed();
      await tellBegun();
      await tellBegun();
      await goesOn.passed();
      return { files: FILES };
    });
    await waits.passed();
    await begins.someoneWaits();
    expect(statuses).toEqual([]);
    begins.open();
    await goesOn.someoneWaits();
    await until(() => Promise.resolve(statuses.length > 0));
    expect(statuses.map(({ version, status }) => [version, status])).toEqual([[1, 'running']]);
    goesOn.open();
    await handle.result();
    expect(statuses.map(({ version, status }) => [version, status])).toEqual([
      [1, 'running'],
      [2, 'completed'],
    ]);
  });

  it('that nobody has begun is cancelled at once', async () => {
    const { handle, statuses } = await start(undefined);
    await until(async () => (await handle.describe()).raw.pendingActivities?.length === 1);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect(statuses.map(({ version, status }) => [version, status])).toEqual([[1, 'cancelled']]);
  });

  it('fails with one sentence if the disk is full, and goes on from its version if it is revived', async () => {
    const full = () => Promise.reject(ApplicationFailure.nonRetryable('there is no room', FailureType.DiskFull));
    const { handle, statuses } = await start(full, { version: 4 });
    await expect(handle.result()).rejects.toThrow();
    expect(statuses.map(({ version, status, failure }) => [version, status, failure])).toEqual([
      [5, 'failed', { type: 'DiskFull', message: 'there is no room' }],
    ]);
  });

  it('is cancelled when its worker has let go of the files, and not before', async () => {
    const begun = new Gate();
    const letGo = new Gate();
    let released = false;
    const { handle, statuses } = await start(async () => {
      begun.open();
      const beating = setInterval(() => Context.current().heartbeat(), 50);
      try {
        return await Context.current().cancelled;
      } finally {
        await letGo.passed();
        clearInterval(beating);
        released = true;
      }
    });
    await begun.passed();
    await handle.cancel();
    await letGo.someoneWaits();
    expect(statuses).toEqual([]);
    letGo.open();
    await expect(handle.result()).rejects.toThrow();
    expect(released).toBe(true);
    expect(statuses.map(({ status }) => status)).toEqual(['cancelled']);
  });
});
