const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** After the first, the second, … attempt: as Standard Webhooks proposes it, over 27 hours. */
const DELAYS_MS = [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 10 * HOUR_MS];
/** So that deliveries which failed together do not come again together: up to a tenth later. */
const JITTER = 0.1;

/**
 * Milliseconds until the next attempt; undefined if there is none.
 * @param attempts that were made
 * @param askedMs what the receiver asked to be left alone for
 */
export function delayAfter(attempts: number, askedMs = 0): number | undefined {
  if (attempts > DELAYS_MS.length) return undefined;
  const delay = DELAYS_MS[attempts - 1] * (1 + JITTER * Math.random());
  return Math.round(Math.max(delay, askedMs));
}
