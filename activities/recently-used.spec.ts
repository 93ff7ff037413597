import { describe, expect, it } from '@jest/globals';
import { RecentlyUsed } from './recently-used.js';

describe(RecentlyUsed.name, () => {
  it('makes a value once, and keeps those that were used last', () => {
    const made: string[] = [];
    const values = new RecentlyUsed<string>(2);
    const use = (key: string) => values.get(key, () => (made.push(key), key.toUpperCase()));
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map(use)).toEqual(['A', 'B', 'A', 'C', 'A', 'B']);
    expect(made).toEqual(['a', 'b', 'c', 'b']);
  });

  it('makes a promise that failed again, and shares one that is open', async () => {
    let made = 0;
    const values = new RecentlyUsed<Promise<number>>(2);
    const use = (fails: boolean) =>
      values.get('a', async () => {
        made += 1;
        if (fails) throw new Error('away');
        return made;
      });
    await expect(Promise.all([use(true), use(true)])).rejects.toThrow('away');
    expect(await use(false)).toBe(2);
    expect(await use(true)).toBe(2);
  });
});
