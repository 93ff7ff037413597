import type { TrainingRun } from './client/api-types.js';
import { ApiRequestError } from './client/api-errors.js';
import type { CliContext } from './context.js';
import { describeChoices } from './output/describe-choices.js';
import { describeEvent } from './output/describe-event.js';
import { describeQueue } from './output/print-run.js';

/**
 * Prints a run's events, one a line, until it is finished. The exit code is 1 unless it completed.
 * @returns the run as it ended
 */
export async function watchRun(
  context: CliContext,
  id: string,
  { json = false }: { json?: boolean },
): Promise<TrainingRun> {
  const client = await context.client();
  let away = false;
  const onReconnect = (error: unknown): void => {
    const reason = error instanceof ApiRequestError ? error.message : 'the API is away';
    if (!away) context.note(`The connection is lost (${reason}). The command tries again and misses no event.`);
    away = true;
  };
  for await (const event of client.followEvents(id, { onReconnect })) {
    away = false;
    context.print(json ? JSON.stringify(event) : describeEvent(event));
    for (const line of json ? [] : describeChoices(id, event.data)) context.note(line);
    if (event.type !== 'run.queued') continue;
    const { queue_position: position } = await client.getRun(id);
    if (position !== null) context.note(`${id} ${describeQueue(position)}.`);
  }
  const run = await client.getRun(id);
  if (run.status !== 'completed') context.setExitCode(1);
  return run;
}
