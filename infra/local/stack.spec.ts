import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PROJECT_ROOT } from '../config/project-root.js';

/** In a checkout of its own, as far as the command looks at it. */
describe('npm run status and npm run down', () => {
  let checkout: string;

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'agentflow-stack-'));
    cpSync(join(PROJECT_ROOT, 'infra/local/stack.mjs'), join(checkout, 'infra/local/stack.mjs'));
  });
  afterEach(() => rmSync(checkout, { recursive: true }));

  const run = (command: string) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      execFile(process.execPath, [join(checkout, 'infra/local/stack.mjs'), command], (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });

  it.each([
    ['status', 3],
    ['down', 0],
  ])('%s in a fresh clone: nothing runs, and how to start it', async (command, code) => {
    expect(await run(command)).toEqual({ code, output: expect.stringContaining('npm run up') });
  });

  it.each(['status', 'down'])('%s without the Node packages: how to install them', async (command) => {
    cpSync(join(PROJECT_ROOT, 'dist'), join(checkout, 'dist'), { recursive: true });
    writeFileSync(join(checkout, 'package.json'), '{ "type": "module" }');
    const said = /^The Node packages are not installed, .*npm run setup\n$/;
    expect(await run(command)).toEqual({ code: 1, output: expect.stringMatching(said) });
  });

  it('are the compiled program once there is one', async () => {
    mkdirSync(join(checkout, 'dist/infra/local'), { recursive: true });
    writeFileSync(join(checkout, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(checkout, 'dist/infra/local/main.js'), 'console.log(process.argv.slice(2).join(" "));');
    expect(await run('down')).toEqual({ code: 0, output: 'down\n' });
  });
});
