import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { endGroup, waitUntil } from '../process-group.js';
import { identify } from '../process-identity.js';

const module = (name: string) => JSON.stringify(new URL(`./${name}.mjs`, import.meta.url).href);

/** Takes the lock, works as told, and says on lines of its own what happens. */
const program = (path: string, work: string) => `
  import { existsSync, rmSync, writeFileSync } from 'node:fs';
  import { lockFile } from ${module('lock')};
  import { run } from ${module('command')};
  import { findPython } from ${module('python')};
  const release = await lockFile(${JSON.stringify(path)}, findPython());
  console.log('held');
  ${work}
  release();
  console.log('released');`;

describe('the lock of the set-up', () => {
  let directory: string;
  let path: string;
  let children: ChildProcess[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'agentflow-setup-'));
    path = join(directory, 'setup.lock');
    children = [];
  });
  afterEach(async () => {
    await Promise.all(children.map((child) => endGroup(child.pid!, 'SIGKILL', 1_000)));
    rmSync(directory, { recursive: true });
  });

  /** Lines of a process that runs `work` under the lock. */
  function setUp(work: string): { child: ChildProcess; lines: AsyncIterator<string> } {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(path, work)], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  }

  const line = async ({ lines }: { lines: AsyncIterator<string> }) => (await lines.next()).value as string;
  const wait = "await new Promise((resolve) => process.stdin.once('data', resolve)); process.stdin.destroy();";

  it.each([
    ['nothing', ''],
    ['a pid that another process has by now', String(process.pid)],
    ['a pid that nobody has', '99999999'],
    ['garbage', '\0\0{'],
  ])('is free when the file holds %s and nobody has it', async (_, content) => {
    writeFileSync(path, content);
    const setup = setUp('');
    expect(await line(setup)).toBe('held');
    expect(await line(setup)).toBe('released');
  });

  it('lets one in at a time: eight at once over a stale file, each counts alone', async () => {
    writeFileSync(path, '99999999');
    const inside = JSON.stringify(join(directory, 'inside'));
    const setups = Array.from({ length: 8 }, () =>
      setUp(`
        if (existsSync(${inside})) throw new Error('two at once');
        writeFileSync(${inside}, '');
        for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
        rmSync(${inside});`),
    );
    const codes = await Promise.all(setups.map(async ({ child }) => (await once(child, 'exit'))[0] as number));
    expect(codes).toEqual(Array<number>(8).fill(0));
  }, 60_000);

  it('makes the second wait, names the first, and passes on when that one is killed', async () => {
    const first = setUp(wait);
    expect(await line(first)).toBe('held');
    const second = setUp('');
    expect(await line(second)).toContain(`process ${first.child.pid}`);
    first.child.kill('SIGKILL');
    expect(await line(second)).toBe('held');
  });

  it('stays, when the set-up is killed, until the command that it left running ends', async () => {
    const pidFile = join(directory, 'pid');
    const go = join(directory, 'go');
    const script = `echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; until [ -e ${go} ]; do sleep 0.05; done`;
    const first = setUp(`await run('Waiting', '/bin/sh', ['-c', ${JSON.stringify(script)}]);`);
    expect(await line(first)).toBe('held');
    expect(await line(first)).toContain('Waiting');
    const second = setUp(`console.log(existsSync(${JSON.stringify(go)}));`);
    expect(await line(second)).toContain('waiting');
    const dead = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await dead;
    expect(await waitUntil(() => existsSync(pidFile), 30_000)).toBe(true);
    expect(identify(Number(readFileSync(pidFile, 'utf8')))).toBeDefined();
    writeFileSync(go, '');
    expect(await line(second)).toBe('held');
    expect(await line(second)).toBe('true');
  });
});
