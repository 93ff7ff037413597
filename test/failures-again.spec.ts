import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const module = (name: string) => JSON.stringify(new URL(`./runner/${name}.mjs`, import.meta.url).href);
const CONFIG = { testEnvironment: 'node', transform: {}, testMatch: ['**/*.check.js'] };

describe('what fails in npm test', () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'again-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const file = (name: string, text: string) => writeFileSync(join(directory, `${name}.check.js`), text);
  const MARK = () => JSON.stringify(join(directory, 'mark'));
  /** Fails when it runs for the first time. */
  const unsteady = () => `
    const { existsSync, writeFileSync } = require('node:fs');
    it('has room', () => {});
    it('is late', () => {
      if (existsSync(${MARK()})) return;
      writeFileSync(${MARK()}, '');
      throw new Error('late');
    });`;
  const steady = `it('adds', () => expect(1 + 1).toBe(2));`;
  const wrong = (tests: number) =>
    Array.from({ length: tests }, (_, i) => `it('is wrong ${i}', () => expect(1).toBe(2));`).join('\n');

  interface Sum {
    passed: number;
    failed: number;
    skipped: number;
    unsteady: string[];
  }

  async function run(): Promise<Sum> {
    const part = { name: 'checks', args: [], config: ['--config', JSON.stringify({ ...CONFIG, rootDir: directory })] };
    const script = `
      import { runFailuresAgain, sumOf } from ${module('again')};
      import { runPart } from ${module('jest')};
      const part = await runPart(${JSON.stringify(part)}, process.env, ${JSON.stringify(directory)});
      console.log(JSON.stringify(sumOf(await runFailuresAgain([part]))));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Sum;
  }

  it('is run again, and is listed if it passes then', async () => {
    file('steady', steady);
    file('unsteady', unsteady());
    const { unsteady: listed, ...counts } = await run();
    expect(counts).toEqual({ passed: 3, failed: 0, skipped: 0 });
    expect(listed).toEqual([expect.stringMatching(/unsteady\.check\.js is late$/)]);
  });

  it('stays a failure if it fails again', async () => {
    file('wrong', wrong(1));
    file('unsteady', unsteady());
    const { unsteady: listed, ...counts } = await run();
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 0 });
    expect(listed).toHaveLength(1);
  });

  it('stays a failure if there is more of it than a busy machine explains', async () => {
    file('wrong', wrong(5));
    file('unsteady', unsteady());
    expect(await run()).toEqual({ passed: 1, failed: 6, skipped: 0, unsteady: [] });
  });

  it('stays a failure if the file does not load', async () => {
    file('broken', `require('./nothing');`);
    expect(await run()).toMatchObject({ passed: 0, failed: 1 });
  });
});
