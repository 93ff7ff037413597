import { describe, expect, it } from '@jest/globals';
import { ProviderLimits } from './provider-limits.js';

const signal = new AbortController().signal;

describe('ProviderLimits', () => {
  it('opens no more calls at once than allowed, and another when one is done', async () => {
    const limits = new ProviderLimits({ concurrency: 2 });
    const finish: (() => void)[] = [];
    const call = () => new Promise<void>((resolve) => finish.push(resolve));
    const calls = Array.from({ length: 5 }, () => limits.run(call, signal));
    await settled();
    expect(finish).toHaveLength(2);
    finish[0]();
    await calls[0];
    await settled();
    expect(finish).toHaveLength(3);
    while (finish.length < 5) {
      finish.forEach((done) => done());
      await settled();
    }
    finish.forEach((done) => done());
    const waits = (await Promise.all(calls)).map(({ waitedMs }) => waitedMs);
    expect(waits.every((wait) => wait >= 0)).toBe(true);
  });

  it('spaces calls as the rate asks: of a burst one call is made', async () => {
    const limits = new ProviderLimits({ concurrency: 8, requests_per_minute: 1 });
    let made = 0;
    const call = () => Promise.resolve((made += 1));
    const cancelled = new AbortController();
    const calls = Array.from({ length: 3 }, () => limits.run(call, cancelled.signal).catch((error: unknown) => error));
    await calls[0];
    await settled();
    expect(made).toBe(1);
    cancelled.abort(new Error('cancelled'));
    expect(await Promise.all(calls.slice(1))).toEqual([new Error('cancelled'), new Error('cancelled')]);
  });

  it('passes on what a call throws', async () => {
    const limits = new ProviderLimits({ concurrency: 1 });
    await expect(limits.run(() => Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
  });
});

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
