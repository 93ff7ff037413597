import { Worker, type WorkerOptions } from '@temporalio/worker';
import { hasLimits, type ProviderRegistration } from '../../infra/config/operator/providers.js';
import type { AgentActivities } from '../../workflows/contracts/agent-activities.js';
import { AGENT_TASK_QUEUE, providerTaskQueue } from '../../workflows/contracts/task-queues.js';
import { HeartbeatInterceptor } from './heartbeat.interceptor.js';

/** Rollouts that wait for the policy server hold an activity slot each: as many as a large step has rollouts. */
const MAX_ACTIVITIES = 512;
/** A cached workflow takes about 1 MB; those that do not fit are replayed when they go on. */
const MAX_CACHED_WORKFLOWS = 600;
const MINUTE_S = 60;

export interface AgentWorkerOptions extends Pick<
  WorkerOptions,
  'connection' | 'namespace' | 'workflowsPath' | 'workflowBundle'
> {
  activities: AgentActivities;
  providers: Record<string, ProviderRegistration>;
}

/** The workers of one agent process: of the ordinary queue, and of the queue of each provider with limits. */
export function createAgentWorkers(options: AgentWorkerOptions): Promise<Worker[]> {
  const { activities, providers, workflowsPath, workflowBundle, ...connected } = options;
  const common = {
    ...connected,
    activities,
    interceptors: { activity: [(context) => ({ inbound: new HeartbeatInterceptor(context) })] },
  } satisfies Partial<WorkerOptions>;
  const ordinary = Worker.create({
    ...common,
    workflowsPath,
    workflowBundle,
    taskQueue: AGENT_TASK_QUEUE,
    maxConcurrentActivityTaskExecutions: MAX_ACTIVITIES,
    maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
  });
  const limited = Object.entries(providers).filter(([, provider]) => hasLimits(provider));
  return Promise.all([
    ordinary,
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

/**
 * Runs them until they are shut down. When one of them fails the others are shut down too: a process that polls only
 * some of its queues would look well.
 * @throws what the first of them failed with
 */
export async function runTogether(workers: readonly Worker[]): Promise<void> {
  const running = workers.map(async (worker) => {
    try {
      await worker.run();
    } finally {
      for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown();
    }
  });
  const ends = await Promise.allSettled(running);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
