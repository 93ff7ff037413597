import type { Info } from '@temporalio/activity';

/** What the attempts of a call came to so far. It travels from one attempt to the next in the heartbeat's details. */
export interface Tries {
  /** Attempts that failed by themselves, and not for an outage. */
  defects: number;
  /** The last attempt that came to an end of its own; those after it were lost with their worker. */
  ended: number;
}

/**
 * What is known of the attempts before this one. Temporal's own count would not do: it also counts attempts that failed
 * for an outage. If no attempt has left anything, none is held to be lost: the worker before this version left nothing.
 */
export function triesBefore({ attempt, heartbeatDetails }: Pick<Info, 'attempt' | 'heartbeatDetails'>): Tries {
  const { defects, ended } = (heartbeatDetails ?? {}) as Partial<Record<keyof Tries, unknown>>;
  return { defects: count(defects) ?? 0, ended: count(ended) ?? attempt - 1 };
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
