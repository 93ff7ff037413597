import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { keepOutputHarmless } from './harmless-output.js';

/** Nest, as its file says: the child is a plain script. */
const NEST = createRequire(import.meta.url).resolve('@nestjs/common');

/** Writes in every way that a process of ours does, several times, and then says through its IPC channel that it lives. */
const PROGRAM = (guard: string) => `
  (${guard})();
  const { ConsoleLogger } = require(${JSON.stringify(NEST)});
  const logger = new ConsoleLogger({ json: true, colors: false });
  let left = 20;
  const timer = setInterval(() => {
    logger.log('a line');
    logger.error(new Error('a failure'));
    process.stdout.write('written\\n');
    process.stderr.write('written\\n');
    console.warn('warned');
    if ((left -= 1) > 0) return;
    clearInterval(timer);
    process.send('alive', () => process.disconnect());
  }, 10);
`;

type Output = number | 'pipe';

function write(guard: string, output: Output): ChildProcess {
  return spawn(process.execPath, ['-e', PROGRAM(guard)], { stdio: ['ignore', output, output, 'ipc'] });
}

async function lives(child: ChildProcess): Promise<boolean> {
  let alive = false;
  child.on('message', () => (alive = true));
  const [code] = (await once(child, 'exit')) as [number];
  return alive && code === 0;
}

async function onFullDisk(guard: string): Promise<boolean> {
  const full = openSync('/dev/full', 'w');
  const child = write(guard, full);
  closeSync(full);
  return lives(child);
}

function afterReaderLeft(guard: string): Promise<boolean> {
  const child = write(guard, 'pipe');
  child.stdout!.destroy();
  child.stderr!.destroy();
  return lives(child);
}

describe(keepOutputHarmless, () => {
  it.each([
    ['on a full disk', onFullDisk],
    ['to a reader that has gone', afterReaderLeft],
  ])('lets a process live whose every line %s is refused', async (_, run) => {
    expect(await run(String(keepOutputHarmless))).toBe(true);
    // Without it, the same program dies: else this test would show nothing.
    expect(await run('() => undefined')).toBe(false);
  });
});
