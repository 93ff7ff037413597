import type { Context } from '@temporalio/activity';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { triesBefore } from './tries.js';

/** Beats in a heartbeat timeout: one may be lost. */
const BEATS = 3;
/** A cancellation comes with the answer to a heartbeat, so a long timeout is no reason for a long wait. */
const LONGEST_INTERVAL_MS = 10_000;

/**
 * Heartbeats while a call is open, so that the calls of a killed worker are tried again after the heartbeat timeout and
 * not after the start-to-close timeout, and so that cancellation reaches a call that waits for the policy server. How
 * often follows from the call's own timeout.
 */
export class HeartbeatInterceptor implements ActivityInboundCallsInterceptor {
  constructor(private readonly context: Context) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const tries = triesBefore(this.context.info);
    const beat = setInterval(() => this.context.heartbeat(tries), intervalMs(this.context.info.heartbeatTimeoutMs));
    try {
      return await next(input);
    } finally {
      clearInterval(beat);
    }
  }
}

function intervalMs(timeoutMs = Infinity): number {
  return Math.min(timeoutMs / BEATS, LONGEST_INTERVAL_MS);
}
