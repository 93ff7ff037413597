import { hasLimits, type ProviderRegistration } from '../../../infra/config/operator/providers.js';
import { FailureType } from '../../../contracts/failures.js';
import { providerTaskQueue, type QueueActivities } from '../../../contracts/task-queues.js';
import { nonRetryable } from '../../failures/non-retryable.js';

/** What this agent worker says of the queues that it polls: it is started with the same providers. */
export function createQueueActivities(providers: Record<string, ProviderRegistration>): QueueActivities {
  const polled = Object.keys(providers)
    .filter((name) => hasLimits(providers[name]))
    .map(providerTaskQueue);
  return {
    requireQueue: async ({ queue, model }) => {
      if (polled.includes(queue)) return;
      throw nonRetryable(
        FailureType.BadConfiguration,
        `Calls of the language model "${model}" wait on the task queue ${queue}, which this agent worker does not poll ` +
          `(it polls: ${polled.join(', ') || 'none of a provider'}): its operator file has no such provider with ` +
          `limits any more. Register it with limits again and restart the agent workers.`,
      );
    },
  };
}
