import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { HeartbeatInterceptor } from './heartbeat.interceptor.js';

describe(HeartbeatInterceptor.name, () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** A call that is open until it is ended, and what it has beaten. */
  function open(heartbeatTimeoutMs?: number) {
    const heartbeat = jest.fn();
    const interceptor = new HeartbeatInterceptor({
      heartbeat,
      info: { attempt: 1, heartbeatTimeoutMs },
    } as unknown as Context);
    let end = { well: () => {}, badly: () => {} };
    const call = interceptor.execute(
      { args: [], headers: {} },
      () => new Promise<void>((well, reject) => (end = { well, badly: () => reject(new Error('no')) })),
    );
    return { heartbeat, call, end };
  }

  it.each(['well', 'badly'] as const)('heartbeats while a call is open and not after it ends %s', async (ending) => {
    const { heartbeat, call, end } = open(10_000);
    jest.advanceTimersByTime(10_000);
    expect(heartbeat).toHaveBeenCalledTimes(3);
    end[ending]();
    await Promise.allSettled([call]);
    jest.advanceTimersByTime(60_000);
    expect(heartbeat).toHaveBeenCalledTimes(3);
  });

  it.each([600, 2_000, 3_000, 10_000, 29_000])('beats at least twice within a timeout of %d ms', (timeoutMs) => {
    const { heartbeat } = open(timeoutMs);
    jest.advanceTimersByTime(timeoutMs - 1);
    expect(heartbeat.mock.calls.length).toBeGreaterThanOrEqual(2);
  });

  it.each([600_000, undefined])('lets a cancellation wait 10 s at most, whatever the timeout (%p)', (timeoutMs) => {
    const { heartbeat } = open(timeoutMs);
    jest.advanceTimersByTime(60_000);
    expect(heartbeat).toHaveBeenCalledTimes(6);
  });
});
