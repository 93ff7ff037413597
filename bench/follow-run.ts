import type { ApiClient } from '../cli/client/api-client.js';
import type { TrainingRun } from '../cli/client/api-types.js';
import { LiveView } from '../cli/quickstart/live-view.js';
import type { Screen } from '../cli/quickstart/screen.js';

/**
 * Shows a run until it has ended.
 * @returns it as it ended
 * @throws Error if it does not complete; the reason of `signal`
 */
export async function followRun(
  client: ApiClient,
  run: TrainingRun,
  screen: Screen,
  signal: AbortSignal,
): Promise<TrainingRun> {
  if (run.status !== 'completed') await new LiveView(client, run, screen).follow(signal);
  signal.throwIfAborted();
  const ended = await client.getRun(run.id);
  if (ended.status !== 'completed') throw new Error(`${run.id} is ${ended.status}: npx agentflow runs show ${run.id}`);
  return ended;
}
