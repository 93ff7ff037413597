import { describe, expect, it } from '@jest/globals';
import { BackOff } from './back-off.js';

describe(BackOff, () => {
  it('doubles the delay of each early death up to a limit', () => {
    const backOff = new BackOff();
    const delays = Array.from({ length: 9 }, () => backOff.next(100));
    expect(delays.slice(0, 4)).toEqual([250, 500, 1000, 2000]);
    expect(delays.at(-1)).toBe(30_000);
  });

  it('starts over after a long life', () => {
    const backOff = new BackOff();
    backOff.next(100);
    backOff.next(100);
    expect(backOff.next(60_000)).toBe(250);
  });
});
