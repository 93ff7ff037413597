import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { hasLimits, type ProviderRegistration } from '../../infra/config/operator/providers.js';
import type { AgentActivities } from '../../contracts/agent-activities.js';
import {
  AGENT_TASK_QUEUE,
  CONTROL_TASK_QUEUE,
  providerTaskQueue,
  WEBHOOK_TASK_QUEUE,
} from '../../contracts/task-queues.js';
import { DefectInterceptor } from './defect.interceptor.js';
import { HeartbeatInterceptor } from './heartbeat.interceptor.js';

/** Rollouts that wait for the policy server hold an activity slot each: as many as a large step has rollouts. */
const MAX_ACTIVITIES = 512;
/** Statuses, records and batches: short, and all of them share the database's connections. */
const MAX_CONTROL_ACTIVITIES = 64;
/** Deliveries that wait for their receivers. */
const MAX_WEBHOOK_ACTIVITIES = 64;
/** A cached workflow takes about 1 MB; those that do not fit are replayed when they go on. */
const MAX_CACHED_WORKFLOWS = 600;
const MINUTE_S = 60;

export interface AgentWorkerOptions extends Pick<
  WorkerOptions,
  'connection' | 'namespace' | 'workflowsPath' | 'workflowBundle'
> {
  activities: AgentActivities;
  providers: Record<string, ProviderRegistration>;
  /** Calls of models and tools that are open at once; 512 if absent. */
  maxActivities?: number;
}

/** The workers of one agent process: of the ordinary queue, control calls, webhooks, and each provider with limits. */
export function createAgentWorkers(options: AgentWorkerOptions): Promise<Worker[]> {
  const {
    activities,
    providers,
    workflowsPath,
    workflowBundle,
    maxActivities = MAX_ACTIVITIES,
    ...connected
  } = options;
  const common = {
    ...connected,
    activities,
    interceptors: {
      activity: [
        (context) => ({ inbound: new HeartbeatInterceptor(context) }),
        (context) => ({ inbound: new DefectInterceptor(context) }),
      ],
    },
  } satisfies Partial<WorkerOptions>;
  const ordinary = Worker.create({
    ...common,
    workflowsPath,
    workflowBundle,
    taskQueue: AGENT_TASK_QUEUE,
    maxConcurrentActivityTaskExecutions: maxActivities,
    maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
  });
  const control = Worker.create({
    ...common,
    taskQueue: CONTROL_TASK_QUEUE,
    maxConcurrentActivityTaskExecutions: MAX_CONTROL_ACTIVITIES,
  });
  const webhooks = Worker.create({
    ...common,
    taskQueue: WEBHOOK_TASK_QUEUE,
    maxConcurrentActivityTaskExecutions: MAX_WEBHOOK_ACTIVITIES,
  });
  const limited = Object.entries(providers).filter(([, provider]) => hasLimits(provider));
  return Promise.all([
    ordinary,
    control,
    webhooks,
    ...limited.map(([name, { concurrency = MAX_ACTIVITIES, requests_per_minute: rate }]) =>
      Worker.create({
        ...common,
        taskQueue: providerTaskQueue(name),
        maxConcurrentActivityTaskExecutions: concurrency,
        maxTaskQueueActivitiesPerSecond: rate === undefined ? undefined : rate / MINUTE_S,
      }),
    ),
  ]);
}

/** For the other workers to end their calls after one has failed: a call that hangs must not keep the process. */
const FAILURE_GRACE_MS = 10_000;
const STATE_CHECK_MS = 1_000;

/**
 * Runs them until they are shut down. When one of them fails the others are shut down too: a process that polls only
 * some of its queues would look well.
 * @throws what the first of them failed with, `graceMs` later at most
 */
export async function runTogether(workers: readonly Worker[], graceMs = FAILURE_GRACE_MS): Promise<void> {
  const running = workers.map(async (worker) => {
    try {
      await Promise.race([worker.run(), failedState(worker)]);
    } finally {
      for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown();
    }
  });
  try {
    await Promise.all(running);
  } catch (error) {
    await Promise.race([Promise.allSettled(running), sleep(graceMs)]);
    throw error;
  }
}

/** A worker that has failed polls nothing, and may wait without end for the calls that it had begun. */
async function failedState(worker: Worker): Promise<never> {
  while (worker.getState() !== 'FAILED') await sleep(STATE_CHECK_MS, undefined, { ref: false });
  await sleep(STATE_CHECK_MS); // its own reason, if it gives one
  throw new Error('A Temporal worker failed; the reason is in the log above.');
}
