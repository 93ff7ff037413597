/** Workflows, and the TypeScript activities that may wait for a model or a tool. */
export const AGENT_TASK_QUEUE = 'agent';
/**
 * The other TypeScript activities: statuses, records, draws, batches. Every agent worker polls it with slots of its
 * own.
 */
export const CONTROL_TASK_QUEUE = 'agent-control';
/**
 * Deliveries to webhooks, which wait for servers of users. Every agent worker polls it with slots of its own, so that
 * receivers that do not answer hold up nothing else.
 */
export const WEBHOOK_TASK_QUEUE = 'agent-webhooks';
/** The Python trainer worker's activities: initPolicy and trainStep. */
export const TRAINER_TASK_QUEUE = 'trainer';
/**
 * Exports of policies. Every trainer worker polls it with a slot of its own, so that they wait for no gradient step, and
 * none for them.
 */
export const EXPORT_TASK_QUEUE = 'trainer-exports';

/** Activities that ask a language model of a provider with limits: every agent worker polls it and keeps to them. */
export function providerTaskQueue(provider: string): string {
  return `${AGENT_TASK_QUEUE}-llm-${provider}`;
}

/** The activity that looks after the providers' queues. */
export interface QueueActivities {
  /** Fails with BadConfiguration if agent workers do not poll the queue on which calls of the language model wait. */
  requireQueue(input: { queue: string; model: string }): Promise<void>;
}
