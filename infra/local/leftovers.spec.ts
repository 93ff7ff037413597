import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { stopLeftovers } from './leftovers.js';
import { endGroup, groupExists, waitUntil } from './process-group.js';
import { groupMembers, identify, isRunning } from './process-identity.js';
import type { ChildRecord } from './stack-record.js';

const DATA = '/nowhere/agentflow-leftovers-test';

describe(stopLeftovers, () => {
  const started: ChildProcess[] = [];

  function start(command: string, env: Record<string, string> = {}): ChildRecord {
    const child = spawn('/bin/sh', ['-c', command], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
    started.push(child);
    return { ...identify(child.pid!)!, stopSignal: 'SIGTERM' };
  }

  afterEach(async () => {
    await Promise.all(started.splice(0).map((child) => endGroup(child.pid!, 'SIGKILL', 1_000)));
  });

  it('stops the whole group of a recorded process', async () => {
    const child = start('sleep 300 & sleep 300');
    await waitUntil(() => groupMembers(child.pid).length === 3, 60_000);
    expect(await stopLeftovers({ children: { api: child } }, DATA)).toEqual(['api']);
    expect(groupExists(child.pid)).toBe(false);
  });

  it('stops one that ignores the polite signal', async () => {
    const child = start('trap "" TERM INT; while :; do sleep 1; done');
    await stopLeftovers({ children: { trainer: child } }, DATA);
    expect(isRunning(child)).toBe(false);
  });

  it('leaves a process alone that has a recorded pid and another start time', async () => {
    const stranger = start('exec sleep 300');
    const stopped = await stopLeftovers({ children: { api: { ...stranger, startTime: '1' } } }, DATA);
    expect(stopped).toEqual([]);
    expect(isRunning(stranger)).toBe(true);
  });

  it('stops grandchildren that outlived a recorded leader, and those of no other stack', async () => {
    const orphan = start('exec sleep 300', { AGENTFLOW_STACK: DATA });
    const other = start('exec sleep 300', { AGENTFLOW_STACK: `${DATA}-2` });
    await waitUntil(() => groupExists(orphan.pid) && groupExists(other.pid), 60_000);
    await stopLeftovers({ children: { api: { pid: 999_999_999, startTime: '1', stopSignal: 'SIGTERM' } } }, DATA);
    expect(isRunning(orphan)).toBe(false);
    expect(isRunning(other)).toBe(true);
  });
});
