import { execFile, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../infra/config/project-root.js';

/** In a checkout of its own, as far as the command looks at it. */
describe('the command agentflow', () => {
  let checkout: string;
  let command: string;

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'agentflow-command-'));
    command = join(checkout, 'cli/agentflow.mjs');
    cpSync(join(PROJECT_ROOT, 'cli/agentflow.mjs'), command);
  });
  afterEach(() => rmSync(checkout, { recursive: true }));

  const run = () =>
    new Promise<{ code: number; output: string }>((resolve) => {
      execFile(command, ['runs', 'list'], (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });

  it('says in a fresh clone how to set the project up', async () => {
    expect(await run()).toEqual({ code: 1, output: expect.stringContaining('npm run up') });
  });

  it('says how to install the Node packages if only they are missing, also called as a file', async () => {
    cpSync(join(PROJECT_ROOT, 'dist'), join(checkout, 'dist'), { recursive: true });
    writeFileSync(join(checkout, 'package.json'), '{ "type": "module" }');
    const said = /^The Node packages are not installed, or not all of them: Cannot find package .*npm run setup\n$/;
    for (command of [command, join(checkout, 'dist/cli/main.js')]) {
      expect(await run()).toEqual({ code: 1, output: expect.stringMatching(said) });
    }
  });

  it('is the compiled program, arguments and exit code included, once there is one', async () => {
    mkdirSync(join(checkout, 'dist/cli'), { recursive: true });
    writeFileSync(join(checkout, 'package.json'), '{ "type": "module" }');
    const program = 'console.log(process.argv.slice(2).join(" ")); process.exitCode = 3;';
    writeFileSync(join(checkout, 'dist/cli/main.js'), program);
    expect(await run()).toEqual({ code: 3, output: 'runs list\n' });
  });
});

describe('the output of agentflow', () => {
  const help = (stdio: StdioOptions) =>
    spawn(process.execPath, [join(PROJECT_ROOT, 'dist/cli/main.js'), '--help'], { stdio });

  it('that a full disk does not take is told in a sentence', async () => {
    const full = openSync('/dev/full', 'w');
    const child = help(['ignore', full, 'pipe']);
    closeSync(full);
    const [said, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    expect(said).toBe('agentflow: the output cannot be written: ENOSPC: no space left on device, write\n');
    expect(code).toBe(1);
  });

  it('ends quietly if its reader has gone', async () => {
    const child = help(['ignore', 'pipe', 'pipe']);
    child.stdout!.destroy();
    const [said, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    expect([said, code]).toEqual(['', 0]);
  });
});
