import { describe, expect, it } from '@jest/globals';
import { retryAfterMs } from './retry-after.js';

describe(retryAfterMs, () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    [{ 'retry-after': '3' }, 3_000],
    [{ 'retry-after': '1.5' }, 1_500],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT' }, 9_000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 23:59:00 GMT' }, undefined],
    [{ 'retry-after': '0' }, undefined],
    [{ 'retry-after': '1000000' }, 60_000],
    [{ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }, 60_000],
    [{ 'x-ratelimit-reset': '2, 1419704' }, 2_000],
    [{ 'retry-after': '5', 'x-ratelimit-reset': '2' }, 5_000],
    [{ 'retry-after': 'soon' }, undefined],
    [{}, undefined],
  ])('reads %j', (headers, expected) => {
    expect(retryAfterMs(headers, now)).toBe(expected);
  });
});
