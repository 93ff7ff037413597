import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DiskSpace } from './disk-space.js';

const MIB = 1024 * 1024;

describe(DiskSpace, () => {
  const free = { '/data': 0, '/postgres': 0 };
  let files = Number.POSITIVE_INFINITY;
  const said: string[] = [];
  let disk: DiskSpace | undefined;

  function watch(data: number, postgres: number): DiskSpace {
    Object.assign(free, { '/data': data * MIB, '/postgres': postgres * MIB });
    const directories = () => Object.keys(free);
    disk = new DiskSpace(
      directories,
      (message) => said.push(message),
      (directory) => ({ bytes: free[directory as keyof typeof free], files }),
    );
    return disk;
  }

  function becomes(data: number, postgres: number): void {
    Object.assign(free, { '/data': data * MIB, '/postgres': postgres * MIB });
    disk!.look();
  }

  afterEach(() => {
    disk?.close();
    said.length = 0;
    files = Number.POSITIVE_INFINITY;
  });

  it('is full, too, if it takes no more files', () => {
    watch(1000, 1000);
    files = 3;
    disk!.look();
    expect(said).toEqual([expect.stringContaining('is full (1000 MiB free, room for 3 more files)')]);
    files = 1_000;
    disk!.look();
    expect(disk!.full).toBe(true);
    files = 1_024;
    disk!.look();
    expect(disk!.full).toBe(false);
  });

  it('says at its end since when it was full: the disk may not have taken the line of its beginning', () => {
    const before = new Date().toISOString();
    watch(1, 1);
    becomes(100, 100);
    const since = /was full since (\S+Z)/.exec(said[1])![1];
    expect(since >= before && since <= new Date().toISOString()).toBe(true);
  });

  it('says once that a disk is full, whichever, and once that it is not', () => {
    watch(100, 100);
    expect(said).toEqual([]);
    becomes(100, 31);
    becomes(100, 0);
    expect(disk!.full).toBe(true);
    expect(said).toEqual([expect.stringContaining('The disk of /postgres is full (31 MiB free)')]);
    becomes(100, 40);
    expect(disk!.full).toBe(true);
    becomes(100, 64);
    expect(disk!.full).toBe(false);
    expect(said.slice(1)).toEqual([expect.stringMatching(/^The disk of \/postgres, .* has space again/)]);
  });

  it('is full at once if it begins so, and as long as any disk is', () => {
    watch(1, 1);
    expect(disk!.full).toBe(true);
    becomes(100, 1);
    expect(disk!.full).toBe(true);
    becomes(100, 100);
    expect(disk!.full).toBe(false);
  });

  it('never says the same thing twice in a row', () => {
    const mib = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(fc.array(mib, { maxLength: 50 }), (sizes) => {
        said.length = 0;
        watch(200, 200);
        for (const size of sizes) becomes(size, 200);
        const kinds = said.map((message) => message.includes('is full'));
        expect(kinds).toEqual(kinds.map((_, index) => index % 2 === 0));
        disk!.close();
      }),
    );
  });
});
