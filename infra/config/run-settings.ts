import { providerTaskQueue } from '../../contracts/task-queues.js';
import type { RunSettings } from '../../contracts/run-settings.js';
import type { OperatorFile } from './operator-file.js';
import { hasLimits } from './operator/providers.js';

/** What a workflow is told of the operator's file when it is started; it keeps to that while it lives. */
export function runSettings({
  timeouts,
  providers,
  language_models: models,
}: Pick<OperatorFile, 'timeouts' | 'providers' | 'language_models'>): RunSettings {
  const limited = Object.entries(models).filter(([, { provider }]) => hasLimits(providers[provider]));
  const queues = limited.map(([name, { provider }]) => [name, providerTaskQueue(provider)]);
  return { ...timeouts, model_queues: Object.fromEntries(queues) as Record<string, string> };
}
