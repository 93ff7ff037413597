import type { Context } from '@temporalio/activity';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';

/** Three beats in the shortest heartbeat timeout that is sensible (10 s): one may be lost. */
const INTERVAL_MS = 3000;

/**
 * Heartbeats while a call is open, so that the calls of a killed worker are tried again after the heartbeat timeout and
 * not after the start-to-close timeout, and so that cancellation reaches a call that waits for the policy server.
 */
export class HeartbeatInterceptor implements ActivityInboundCallsInterceptor {
  constructor(private readonly context: Context) {}

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const beat = setInterval(() => this.context.heartbeat(), INTERVAL_MS);
    try {
      return await next(input);
    } finally {
      clearInterval(beat);
    }
  }
}
