import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { stopLeftovers } from '../../infra/local/leftovers.js';
import { waitUntil } from '../../infra/local/process-group.js';
import { allPids, identify, isRunning, type ProcessIdentity } from '../../infra/local/process-identity.js';

const PARENT = fileURLToPath(new URL('./testing/hold-children.mjs', import.meta.url));
const STACK = '/nowhere/agentflow-child-processes-test';
/** What the command line of each kind of child holds. */
const KINDS = ['testing/server.mjs', 'interpreter/main.mjs', 'user/process/main.mjs', 'extract.mjs'];

const procFile = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
};
const isChildOf = (parent: number) => (pid: number) => procFile(pid, 'status').includes(`\nPPid:\t${parent}\n`);

/** Stopped as soon as it is found: a short-lived child is held, and a stopped one cannot end by its own means. */
async function held(parent: number, kind: string): Promise<ProcessIdentity> {
  for (;;) {
    const pid = allPids()
      .filter(isChildOf(parent))
      .find((child) => procFile(child, 'cmdline').includes(kind) && !procFile(child, 'cmdline').includes('pdeathsig'));
    if (pid !== undefined) {
      process.kill(pid, 'SIGSTOP');
      return identify(pid)!;
    }
    await sleep(5);
  }
}

describe('the children of an agent worker', () => {
  let parent: ChildProcess;
  let children: ProcessIdentity[];

  beforeAll(async () => {
    parent = spawn(process.execPath, [PARENT], {
      env: { ...process.env, AGENTFLOW_STACK: STACK },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const holding = once(parent.stdout!, 'data'); // the first three answer by then
    const shortLived = held(parent.pid!, KINDS[3]);
    await holding;
    children = await Promise.all([...KINDS.slice(0, 3).map((kind) => held(parent.pid!, kind)), shortLived]);
  });

  afterAll(async () => {
    parent.kill('SIGKILL');
    await stopLeftovers({ children: {} }, STACK);
  });

  it.each(KINDS)('carry the mark of the stack: %s', (kind) => {
    const { pid } = children[KINDS.indexOf(kind)];
    expect(procFile(pid, 'environ').split('\0')).toContain(`AGENTFLOW_STACK=${STACK}`);
  });

  it('end with it when it is killed, whatever they do', async () => {
    expect(children.filter(isRunning)).toHaveLength(KINDS.length);
    const dead = once(parent, 'exit');
    parent.kill('SIGKILL');
    await dead;
    await waitUntil(() => !children.some(isRunning), 60_000);
    expect(KINDS.filter((_, index) => isRunning(children[index]))).toEqual([]);
  });
});
