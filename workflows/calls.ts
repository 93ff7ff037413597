import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { AgentActivities } from '../contracts/agent-activities.js';
import { NON_RETRYABLE } from '../contracts/failures.js';
import {
  AGENT_TASK_QUEUE,
  CONTROL_TASK_QUEUE,
  EXPORT_TASK_QUEUE,
  TRAINER_TASK_QUEUE,
  WEBHOOK_TASK_QUEUE,
} from '../contracts/task-queues.js';
import type { ExporterActivities, TrainerActivities } from '../contracts/trainer-activities.js';
import type { RunSettings } from '../contracts/run-settings.js';
import type { WebhookActivities } from '../contracts/webhooks.js';

/** No attempt limit: only the closed list of failure types ends a call (I2). */
const retry: ActivityOptions['retry'] = {
  initialInterval: '200 milliseconds',
  backoffCoefficient: 2,
  maximumInterval: '10 seconds',
  nonRetryableErrorTypes: NON_RETRYABLE,
};

/** Calls of a rollout: patience ends them, and with them the rollout (outcome `infrastructure`). */
export function rolloutCalls(settings: RunSettings) {
  return proxyActivities<AgentActivities>({
    taskQueue: AGENT_TASK_QUEUE,
    startToCloseTimeout: '15 minutes',
    scheduleToCloseTimeout: settings.patience_s * 1000,
    heartbeatTimeout: settings.call_heartbeat_s * 1000,
    retry,
  });
}

/**
 * The same on the task queue of a provider with limits. The wait for the first attempt is not a failure and does not
 * use up the patience.
 * @param waitS how long an attempt may wait in the queue
 */
export function limitedCalls(settings: RunSettings, taskQueue: string, waitS: number) {
  return proxyActivities<AgentActivities>({
    taskQueue,
    startToCloseTimeout: '15 minutes',
    scheduleToStartTimeout: waitS * 1000,
    scheduleToCloseTimeout: (waitS + settings.patience_s) * 1000,
    heartbeatTimeout: settings.call_heartbeat_s * 1000,
    retry,
  });
}

/**
 * Calls of the run itself: retried for ever. None waits for a model or a tool, and none waits behind calls that do: a
 * policy server that hangs must not keep a run from being paused or cancelled. Replay does not compare task queues, so
 * runs that began while both kinds of calls shared a queue use this one for their next calls.
 */
export function runCalls(settings: RunSettings) {
  return proxyActivities<AgentActivities>({
    taskQueue: CONTROL_TASK_QUEUE,
    startToCloseTimeout: '15 minutes',
    heartbeatTimeout: settings.call_heartbeat_s * 1000,
    retry,
  });
}

/** Attempts to deliver to webhooks. What the receiver does is no failure: only our own database's outages are. */
export function webhookCalls(settings: RunSettings) {
  return proxyActivities<WebhookActivities>({
    taskQueue: WEBHOOK_TASK_QUEUE,
    startToCloseTimeout: '15 minutes',
    heartbeatTimeout: settings.call_heartbeat_s * 1000,
    retry,
  });
}

/** Gradient steps live by their heartbeat (docs/recovery.md); the start-to-close time only bounds a runaway. */
export function trainerCalls(settings: RunSettings) {
  return proxyActivities<TrainerActivities>({ ...trainerOptions(settings), taskQueue: TRAINER_TASK_QUEUE });
}

/**
 * The same on the queue of the one worker that holds the run's state. A single attempt: if it is not started in time or
 * the worker is lost, any other worker recovers the state from what is on disk.
 */
export function stickyTrainerCalls(settings: RunSettings, taskQueue: string) {
  return proxyActivities<TrainerActivities>({
    ...trainerOptions(settings),
    taskQueue,
    scheduleToStartTimeout: settings.trainer_sticky_s * 1000,
    retry: { ...retry, maximumAttempts: 1 },
  });
}

/**
 * An export is cancelled when its worker has let go of its files: only then may they be deleted.
 */
export function exportCalls(settings: RunSettings) {
  return proxyActivities<ExporterActivities>({
    ...trainerOptions(settings),
    taskQueue: EXPORT_TASK_QUEUE,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
}

function trainerOptions(settings: RunSettings): ActivityOptions {
  return {
    startToCloseTimeout: '7 days',
    heartbeatTimeout: settings.train_heartbeat_s * 1000,
    retry,
  };
}
