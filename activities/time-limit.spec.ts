import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TimeLimit } from './time-limit.js';

describe(TimeLimit.name, () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('ends a call when its time is over', () => {
    const limit = new TimeLimit(new AbortController().signal, 1000);
    jest.advanceTimersByTime(999);
    expect([limit.signal.aborted, limit.isOver]).toEqual([false, false]);
    jest.advanceTimersByTime(1);
    expect([limit.signal.aborted, limit.isOver]).toEqual([true, true]);
  });

  it('ends a call with the reason of the outer signal, before or after it begins', () => {
    const [before, after] = [new AbortController(), new AbortController()];
    before.abort('cancelled');
    const limits = [before, after].map(({ signal }) => new TimeLimit(signal, 1000));
    after.abort('cancelled');
    expect(limits.map(({ signal, isOver }) => [signal.reason as unknown, isOver])).toEqual([
      ['cancelled', false],
      ['cancelled', false],
    ]);
  });

  it('holds neither a timer nor a listener when the call has ended', () => {
    const { signal } = new AbortController();
    const limits = Array.from({ length: 100 }, () => new TimeLimit(signal, 120_000));
    expect([jest.getTimerCount(), getEventListeners(signal, 'abort').length]).toEqual([100, 100]);
    for (const limit of limits) limit.end();
    expect([jest.getTimerCount(), getEventListeners(signal, 'abort').length]).toEqual([0, 0]);
    expect(limits.some((limit) => limit.signal.aborted)).toBe(false);
  });
});
