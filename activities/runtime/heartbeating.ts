import { Context } from '@temporalio/activity';

/** Cancellation reaches an activity with the answer to a heartbeat: it is felt within this time. */
const DEFAULT_INTERVAL_MS = 5_000;

/** Runs a call that may wait long, with heartbeats; its signal is aborted when the activity is cancelled. */
export async function heartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const timeout = context.info.heartbeatTimeoutMs;
  const timer = setInterval(() => context.heartbeat(), timeout ? timeout / 3 : DEFAULT_INTERVAL_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
