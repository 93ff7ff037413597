import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NextLook } from './next-look.js';

describe('a look that is shared', () => {
  it('never gives what was seen before it was asked for, and sees no key twice at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.constantFrom('a', 'b'), { maxLength: 20 }),
        async (scheduler, keys) => {
          let moment = 0;
          const underWay = new Set<string>();
          const looks = new NextLook(async (key) => {
            expect(underWay.has(key)).toBe(false);
            underWay.add(key);
            const seen = ++moment;
            await scheduler.schedule(Promise.resolve());
            underWay.delete(key);
            return { key, seen };
          });
          const asked = keys.map(async (key, index) => {
            await scheduler.schedule(Promise.resolve(), `ask ${index}`);
            const before = moment;
            const { key: of, seen } = await looks.of(key);
            expect(of).toBe(key);
            expect(seen).toBeGreaterThan(before);
          });
          await scheduler.waitFor(Promise.all(asked));
        },
      ),
    );
  });

  it('is one for all who come while another is under way', async () => {
    const ends: (() => void)[] = [];
    const looks = new NextLook(() => new Promise<void>((end) => ends.push(end)));
    const first = looks.of('key');
    const others = Promise.all([looks.of('key'), looks.of('key'), looks.of('key')]);
    expect(ends).toHaveLength(1);
    ends[0]();
    await first;
    await new Promise(setImmediate);
    expect(ends).toHaveLength(2);
    ends[1]();
    await others;
  });

  it('fails for those who share it, and begins anew for those who wait or come later', async () => {
    let looked = 0;
    const looks = new NextLook(async () => {
      looked += 1;
      if (looked === 1) throw new Error('the database is away');
      return looked;
    });
    const [first, second] = await Promise.allSettled([looks.of('key'), looks.of('key')]);
    expect(first).toMatchObject({ status: 'rejected' });
    expect(second).toEqual({ status: 'fulfilled', value: 2 });
    expect(await looks.of('key')).toBe(3);
  });
});
