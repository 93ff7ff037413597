import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseOutage } from '../../infra/database/outage.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Writes what an activity holds and could only get again at a price: a sampled reply, the result of a tool that ran. While
 * the database is not there it is tried again, so that the activity keeps what it holds as long as it may run: its worker
 * heartbeats meanwhile, and the signal is aborted when the call is cancelled or its time is over.
 * @param write may be called again after it failed: insert or do nothing
 * @throws what the write fails with where that is no outage of the database; the signal's reason where it is aborted
 */
export async function untilWritten<Result>(signal: AbortSignal, write: () => Promise<Result>): Promise<Result> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await unlessAborted(signal, write());
    } catch (error) {
      signal.throwIfAborted();
      if (!isDatabaseOutage(error)) throw error;
    }
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** A server that hangs answers neither yes nor no: the write is not waited for longer than the call may take. */
async function unlessAborted<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
