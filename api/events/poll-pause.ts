import { setTimeout as sleep } from 'node:timers/promises';

const POLL_INTERVAL_MS = 500;

/** Between two looks at the database for new events. Ends early, and quietly, when `signal` is aborted. */
export async function pollPause(signal: AbortSignal): Promise<void> {
  await sleep(POLL_INTERVAL_MS, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
