import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogRotation } from './log-rotation.js';

describe(LogRotation, () => {
  let directory: string;
  let rotation: LogRotation;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'logs-'));
    rotation = new LogRotation(directory);
  });

  afterEach(() => {
    rotation.close();
    rmSync(directory, { recursive: true });
  });

  const file = (name: string) => join(directory, name);
  const read = (name: string) => readFileSync(file(name), 'utf8');

  it('sets a long log aside, keeps four, and leaves the short and what is no log alone', () => {
    writeFileSync(file('requests.jsonl'), 'x'.repeat(100));
    writeFileSync(file('short.log'), 'short');
    for (const round of ['a', 'b', 'c', 'd', 'e', 'f']) {
      writeFileSync(file('api.log'), round.repeat(11));
      rotation.rotate(10);
      expect(read('api.log')).toBe('');
    }
    expect(readdirSync(directory).sort()).toEqual(
      ['api.log', 'api.log.1', 'api.log.2', 'api.log.3', 'api.log.4', 'requests.jsonl', 'short.log'].sort(),
    );
    expect([1, 2, 3, 4].map((number) => read(`api.log.${number}`)[0])).toEqual(['f', 'e', 'd', 'c']);
    expect([read('short.log'), read('requests.jsonl').length]).toEqual(['short', 100]);
  });

  it('does not take the log from the process that writes it: what it writes later is at the beginning', async () => {
    const log = openSync(file('api.log'), 'a', 0o600);
    const child = spawn('/bin/sh', ['-c', 'while read line; do echo "$line"; done'], { stdio: ['pipe', log, log] });
    closeSync(log);
    const say = async (line: string) => {
      const before = statSync(file('api.log')).size;
      child.stdin!.write(`${line}\n`);
      while (statSync(file('api.log')).size === before) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await say('a line before');
    rotation.rotate(5);
    await say('after');
    child.stdin!.end();
    await once(child, 'exit');
    expect([read('api.log.1'), read('api.log')]).toEqual(['a line before\n', 'after\n']);
    expect(statSync(file('api.log.1')).mode & 0o777).toBe(0o600);
  });

  it('leaves a log that cannot be set aside as it is', () => {
    writeFileSync(file('api.log'), 'long enough');
    writeFileSync(file('api.log.3'), 'older');
    mkdirSync(file('api.log.4/in the way'), { recursive: true });
    rotation.rotate(5);
    expect(read('api.log')).toBe('long enough');
    expect(existsSync(file('api.log.new'))).toBe(false);
  });
});
