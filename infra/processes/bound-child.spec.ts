import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../local/process-group.js';
import { identify, isRunning, type ProcessIdentity } from '../local/process-identity.js';
import { boundToParent, canBind, stackMark, STACK_VARIABLE } from './bound-child.js';

/** Starts the command line in its argument, says the child's pid, and stays. */
const PARENT = `
  const { command, args } = JSON.parse(process.argv[1]);
  const child = require('node:child_process').spawn(command, args, { detached: true, stdio: 'ignore' });
  child.once('spawn', () => setTimeout(() => console.log(child.pid), 500));
  setInterval(() => undefined, 1_000);
`;

const IGNORES_TERM = { command: '/bin/sh', args: ['-c', 'trap "" TERM; while :; do sleep 1; done'] };

describe(boundToParent, () => {
  const parents: ChildProcess[] = [];
  const children: ProcessIdentity[] = [];

  async function parentOf(line: { command: string; args: string[] }): Promise<ChildProcess> {
    const parent = spawn(process.execPath, ['-e', PARENT, JSON.stringify(line)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    parents.push(parent);
    const [pid] = (await once(parent.stdout, 'data')) as [Buffer];
    children.push(identify(Number(String(pid)))!);
    return parent;
  }

  afterEach(() => {
    for (const parent of parents.splice(0)) parent.kill('SIGKILL');
    for (const child of children.splice(0)) if (isRunning(child)) process.kill(-child.pid, 'SIGKILL');
  });

  it('ends a child, in a group of its own too, with the signal that was chosen, when its parent is killed', async () => {
    expect(canBind()).toBe(process.platform === 'linux');
    const bound = await parentOf(boundToParent({ command: 'sleep', args: ['300'] }));
    const polite = await parentOf(boundToParent(IGNORES_TERM, 'SIGTERM'));
    const [killed, ignoring] = children;
    expect(children.map(isRunning)).toEqual([true, true]);
    bound.kill('SIGKILL');
    polite.kill('SIGKILL');
    expect(await waitUntil(() => !isRunning(killed), 60_000)).toBe(true);
    expect(isRunning(ignoring)).toBe(true);
  });

  it('keeps pid, exit code and output of the command', async () => {
    const { command, args } = boundToParent({ command: '/bin/sh', args: ['-c', 'echo $$; exit 7'] });
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [[output], [code]] = (await Promise.all([once(child.stdout, 'data'), once(child, 'exit')])) as [
      [Buffer],
      [number],
    ];
    expect(String(output)).toBe(`${child.pid}\n`);
    expect(code).toBe(7);
  });

  it.each(['/nowhere/program', 'no-such-program'])('leaves %s, which is not there, for spawn to refuse', (command) => {
    expect(boundToParent({ command, args: ['a'] })).toEqual({ command, args: ['a'] });
  });

  it('marks a child with the stack that this process belongs to', () => {
    const before = process.env[STACK_VARIABLE];
    process.env[STACK_VARIABLE] = '/data';
    expect(stackMark()).toEqual({ AGENTFLOW_STACK: '/data' });
    delete process.env[STACK_VARIABLE];
    expect(stackMark()).toEqual({});
    if (before !== undefined) process.env[STACK_VARIABLE] = before;
  });
});
