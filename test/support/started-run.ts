import type { WorkflowHandle } from '@temporalio/client';
import { AGENT_TASK_QUEUE } from '../../contracts/task-queues.js';
import type { RunStatus, TrainingRunInput, TrainingRunResult } from '../../contracts/training-run.js';
import type { ScriptedActivities } from './scripted-activities.js';
import type { WorkflowHarness } from './workflow-harness.js';
import type { TrainingRunProgress } from '../../contracts/messages.js';

/** A training run under way, with what its activities were called with. */
export interface StartedRun {
  handle: WorkflowHandle;
  calls: ScriptedActivities['calls'];
  result: () => Promise<TrainingRunResult>;
}

/** Starts a run whose activities a test scripts. */
export async function startRun(
  harness: WorkflowHarness,
  input: TrainingRunInput,
  scripted: ScriptedActivities,
): Promise<StartedRun> {
  await harness.work(scripted);
  const handle = await harness.client.workflow.start('trainingRun', {
    taskQueue: AGENT_TASK_QUEUE,
    workflowId: input.runId,
    args: [input],
  });
  return { handle, calls: scripted.calls, result: () => handle.result() as Promise<TrainingRunResult> };
}

/** Lets no one pass until it is opened. */
export class Gate {
  private waiting: () => void = () => undefined;
  private release: () => void = () => undefined;
  private readonly arrival = new Promise<void>((resolve) => (this.waiting = resolve));
  private readonly opened = new Promise<void>((resolve) => (this.release = resolve));

  passed(): Promise<void> {
    this.waiting();
    return this.opened;
  }

  someoneWaits(): Promise<void> {
    return this.arrival;
  }

  open(): void {
    this.release();
  }
}

export const progress = (handle: WorkflowHandle) => handle.query<TrainingRunProgress>('progress');
export const untilStep = (handle: WorkflowHandle, step: number) =>
  until(async () => (await progress(handle)).step >= step);
export const untilStatus = (handle: WorkflowHandle, status: RunStatus) =>
  until(async () => (await progress(handle)).status === status);

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
}
