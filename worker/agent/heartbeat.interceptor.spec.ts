import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { HeartbeatInterceptor } from './heartbeat.interceptor.js';

describe(HeartbeatInterceptor.name, () => {
  it.each(['ends well', 'fails'])('heartbeats while a call is open and not after it %s', async (ending) => {
    jest.useFakeTimers();
    const heartbeat = jest.fn();
    const interceptor = new HeartbeatInterceptor({ heartbeat } as unknown as Context);
    let end: () => void = () => undefined;
    const call = interceptor.execute({ args: [], headers: {} }, () => {
      return new Promise(
        (resolve, reject) => (end = ending === 'fails' ? () => reject(new Error('no')) : () => resolve(1)),
      );
    });
    jest.advanceTimersByTime(10_000);
    expect(heartbeat).toHaveBeenCalledTimes(3);
    end();
    await Promise.allSettled([call]);
    jest.advanceTimersByTime(60_000);
    jest.useRealTimers();
    await sleep(0);
    expect(heartbeat).toHaveBeenCalledTimes(3);
  });
});
