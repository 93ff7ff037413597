import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApplicationFailure, type WorkflowFailedError } from '@temporalio/client';
import { FailureType } from '../contracts/failures.js';
import { AGENT_TASK_QUEUE } from '../contracts/task-queues.js';
import { scriptedActivities } from '../test/support/scripted-activities.js';
import { WorkflowHarness } from '../test/support/workflow-harness.js';
import * as workflows from './index.js';

jest.setTimeout(120_000);

/** As somebody writes them who starts a workflow by hand. */
const MADE_UP: unknown[][] = [[], [{ a: 1 }], [[]], [null], ['run-a'], [{ id: 'run-a', runId: 'run-a', flow: null }]];

describe('an input that is none of the workflow', () => {
  let harness: WorkflowHarness;
  beforeAll(async () => {
    harness = await WorkflowHarness.start();
    await harness.work(scriptedActivities());
  }, 120_000);
  afterAll(() => harness.stop());

  it.each(Object.keys(workflows))('ends %s at once', async (name) => {
    const ends = MADE_UP.map(async (args) => {
      const handle = await harness.client.workflow.start(name, {
        taskQueue: AGENT_TASK_QUEUE,
        workflowId: randomUUID(),
        args,
        workflowExecutionTimeout: '60 s',
      });
      return handle.result().then(
        () => undefined,
        (error: unknown) => (error as WorkflowFailedError).cause,
      );
    });
    for (const end of await Promise.all(ends)) {
      expect(end).toBeInstanceOf(ApplicationFailure);
      expect(end).toMatchObject({ type: FailureType.BadConfiguration, nonRetryable: true });
      expect((end as ApplicationFailure).message).toContain(`${name} cannot begin with its input`);
    }
  });
});
