import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { requireUsableData } from './data-directory.js';
import { DataUnusable } from './data-unusable.js';
import { stackOptionsFromEnvironment } from './stack-options.js';
import { claimSupervision, findSupervisor } from './supervision.js';
import { beginHistory, finishHistory } from './temporal-database.js';

let root: string;
let data: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'agentflow-data-'));
  data = join(root, 'data');
  mkdirSync(join(data, 'artifacts/runs/run-a'), { recursive: true });
  writeFileSync(join(data, 'temporal.db'), sqliteFile(3));
});
afterEach(() => rmSync(root, { recursive: true }));

/** As much of an SQLite file as is looked at: a header, and pages. */
function sqliteFile(pages: number): Buffer {
  const file = Buffer.alloc(pages * 4096);
  file.write('SQLite format 3\0', 'latin1');
  file.writeUInt16BE(4096, 16);
  file.writeUInt32BE(pages, 28);
  return file;
}

const refusal = () => {
  try {
    requireUsableData(data);
  } catch (error) {
    expect(error).toBeInstanceOf(DataUnusable);
    return (error as Error).message;
  }
  throw new Error('It was not refused.');
};

describe('I13: a data directory', () => {
  it('is used as it is, or where there is none yet', () => {
    requireUsableData(data);
    requireUsableData(join(root, 'none'));
  });

  it('has one name, whichever links lead to it and whether it is there yet', () => {
    symlinkSync(data, join(root, 'link'));
    symlinkSync(root, join(root, 'up'));
    const named = (path: string) => stackOptionsFromEnvironment({ AGENTFLOW_DATA: path }).dataDirectory;
    expect(named(join(root, 'link'))).toBe(named(data));
    expect(named(join(root, 'up/data'))).toBe(named(data));
    expect(named(join(root, 'up/later/data'))).toBe(join(named(root), 'later/data'));
  });

  it('is refused when its history file is not beside its write-ahead log, which SQLite would delete', () => {
    writeFileSync(join(data, 'temporal.db-wal'), 'the newest history');
    requireUsableData(data);
    renameSync(join(data, 'temporal.db'), join(data, 'moved'));
    const message = refusal();
    expect(message).toContain('temporal.db-wal');
    execFileSync('/bin/sh', ['-c', /`(mv .*)`/.exec(message)![1]]);
    requireUsableData(data);
  });

  it.each<[string, Buffer, RegExp]>([
    ['is empty', Buffer.alloc(0), /temporal\.db, the history of all workflows, is empty\./],
    ['is garbage', Buffer.from('history'), /temporal\.db, .*, is no SQLite database\./],
    ['is cut off', sqliteFile(3).subarray(0, 9_000), /temporal\.db, .*, is cut off: it has 9000 of 12288 bytes\./],
  ])('is refused when its history file %s, and the command in its words begins without', (_, content, says) => {
    writeFileSync(join(data, 'temporal.db'), content);
    const message = refusal();
    expect(message).toMatch(says);
    execFileSync('/bin/sh', ['-c', /: (mv .*)$/.exec(message)![1]]);
    requireUsableData(data);
    expect(readFileSync(join(data, 'temporal.db.aside'))).toEqual(content);
  });

  it('is used when the write-ahead log holds what its history file lacks', () => {
    writeFileSync(join(data, 'temporal.db'), sqliteFile(3).subarray(0, 4096));
    writeFileSync(join(data, 'temporal.db-wal'), 'pages 2 and 3');
    requireUsableData(data);
  });

  it('is used when its first start was interrupted: what that left has no history', () => {
    rmSync(join(data, 'temporal.db'));
    expect(beginHistory(join(data, 'temporal.db'))).toBe(false);
    for (const left of [undefined, '', 'half made']) {
      if (left !== undefined) writeFileSync(join(data, 'temporal.db'), left);
      requireUsableData(data);
      expect(beginHistory(join(data, 'temporal.db'))).toBe(true);
      expect(existsSync(join(data, 'temporal.db'))).toBe(false);
    }
    writeFileSync(join(data, 'temporal.db'), sqliteFile(3));
    finishHistory(join(data, 'temporal.db'));
    expect(beginHistory(join(data, 'temporal.db'))).toBe(false);
    expect(readFileSync(join(data, 'temporal.db'))).toEqual(sqliteFile(3));
  });

  it.each<[string, () => string]>([
    ['a link to nothing', () => (symlinkSync(join(root, 'gone'), join(root, 'link')), join(root, 'link'))],
    ['below a link to nothing', () => (symlinkSync(join(root, 'gone'), join(root, 'link')), join(root, 'link/a/b'))],
    ['a link to itself', () => (symlinkSync(join(root, 'loop'), join(root, 'loop')), join(root, 'loop'))],
    ['below a link to itself', () => (symlinkSync(join(root, 'loop'), join(root, 'loop')), join(root, 'loop/a/b'))],
  ])('is refused if it is %s, whoever looks first, and the command in its words mends it', (_, make) => {
    data = stackOptionsFromEnvironment({ AGENTFLOW_DATA: make() }).dataDirectory;
    for (const look of [() => void findSupervisor(data), () => claimSupervision(data).release()]) {
      expect(look).toThrow(DataUnusable);
    }
    execFileSync('/bin/sh', ['-c', / (mv .*)$/.exec(refusal())![1]]);
    requireUsableData(data);
    claimSupervision(data).release();
  });

  it('is refused when its artifacts are a link to a disk that is not there', () => {
    renameSync(join(data, 'artifacts'), join(root, 'disk'));
    symlinkSync(join(root, 'disk'), join(data, 'artifacts'));
    requireUsableData(data);
    renameSync(join(root, 'disk'), join(root, 'gone'));
    expect(refusal()).toMatch(/artifacts.*link to something that is not there.*mount/);
  });

  /** What another user is told: `usable`, or the refusal. The process becomes that user when it has loaded everything. */
  const asUser = (uid: number) => {
    const module = new URL('../../dist/infra/local/data-directory.js', import.meta.url).href;
    const program = `
      import { requireUsableData } from ${JSON.stringify(module)};
      process.setuid(${uid});
      try { requireUsableData(${JSON.stringify(data)}); console.log('usable'); }
      catch (error) { console.log(error.name, error.message); }`;
    return execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).trim();
  };

  if (process.geteuid?.() === 0) {
    it('is refused to a user after root has written in it, and the command in its words hands it over', () => {
      chmodSync(root, 0o711);
      const uid = 65_534;
      const handOver = () => execFileSync('chown', ['-R', String(uid), data]);
      handOver();
      expect(asUser(uid)).toBe('usable');
      for (const path of ['.', 'temporal.db', 'artifacts', 'artifacts/runs', 'artifacts/runs/run-a']) {
        execFileSync('chown', ['0', join(data, path)]);
        const message = asUser(uid);
        expect(message).toMatch(/^DataUnusable .* belongs to root \(uid 0\), mode/);
        execFileSync('/bin/sh', [
          '-c',
          message.slice(message.indexOf('with: ') + 'with: '.length).replaceAll('sudo ', ''),
        ]);
        expect(asUser(uid)).toBe('usable');
      }
    }, 60_000);
  }
});
