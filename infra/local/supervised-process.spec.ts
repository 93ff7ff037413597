import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { groupExists, waitUntil } from './process-group.js';
import { StartFailed, SupervisedProcess, type ProcessDefinition, type ProcessEvent } from './supervised-process.js';

describe(SupervisedProcess, () => {
  let directory: string;
  let events: ProcessEvent[];
  let pids: number[];
  let supervised: SupervisedProcess;

  function supervise(script: string, check: () => Promise<void> = () => Promise.resolve()): SupervisedProcess {
    const definition: ProcessDefinition = {
      name: 'dummy',
      command: '/bin/sh',
      args: ['-c', script],
      env: process.env,
      cwd: directory,
      stopSignal: 'SIGTERM',
      logFile: join(directory, 'dummy.log'),
      check,
      patienceMs: 10_000,
    };
    supervised = new SupervisedProcess(
      definition,
      (event) => events.push(event),
      (pid) => pids.push(pid),
    );
    return supervised;
  }

  const types = () => events.map(({ type }) => type);
  const count = (type: ProcessEvent['type']) => types().filter((other) => other === type).length;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'supervised-'));
    events = [];
    pids = [];
  });

  afterEach(() => supervised.stop());

  it('waits for health and writes a log file', async () => {
    const ready = join(directory, 'ready');
    const check = () => (existsSync(ready) ? Promise.resolve() : Promise.reject(new Error('not yet')));
    await supervise('echo hello; sleep 0.3; touch ready; sleep 300', check).start();
    expect(existsSync(ready)).toBe(true);
    expect(types()).toEqual(['starting', 'healthy']);
    expect(readFileSync(join(directory, 'dummy.log'), 'utf8')).toBe('hello\n');
  });

  it('restarts a process that is killed, with growing delays, and says so', async () => {
    await supervise('exec sleep 300').start();
    for (const deaths of [1, 2]) {
      process.kill(supervised.pid, 'SIGKILL');
      expect(await waitUntil(() => count('healthy') === deaths + 1, 5_000)).toBe(true);
    }
    expect(types()).toEqual(['starting', 'healthy', 'exit', 'restart', 'healthy', 'exit', 'restart', 'healthy']);
    expect(events.flatMap((event) => (event.type === 'restart' ? event.delayMs : []))).toEqual([250, 500]);
    expect(new Set(pids).size).toBe(3);
  });

  it('ends what a dead leader has left of its group', async () => {
    await supervise('sleep 300 & sleep 300').start();
    const leader = supervised.pid;
    process.kill(leader, 'SIGKILL');
    await waitUntil(() => count('healthy') === 2, 5_000);
    expect(groupExists(leader)).toBe(false);
  });

  it('fails the start of a process that keeps dying, with the end of its log', async () => {
    const start = supervise('echo "no such model" >&2; exit 3', () => Promise.reject(new Error('dead'))).start();
    await expect(start).rejects.toThrow(StartFailed);
    await expect(start).rejects.toThrow(/dummy died 3 times[^]*no such model/);
    expect(groupExists(supervised.pid)).toBe(false);
  });

  it('fails the start of a program that does not exist', async () => {
    supervise('');
    const definition = { ...supervised.definition, command: join(directory, 'missing') };
    supervised = new SupervisedProcess(
      definition,
      (event) => events.push(event),
      (pid) => pids.push(pid),
    );
    await expect(supervised.start()).rejects.toThrow(/ENOENT/);
  });

  it('clears up before every start', async () => {
    supervise('exec sleep 300');
    const prepared = join(directory, 'prepared');
    const prepare = () => Promise.resolve(writeFileSync(prepared, 'x', { flag: 'a' }));
    const definition = { ...supervised.definition, prepare };
    supervised = new SupervisedProcess(
      definition,
      (event) => events.push(event),
      (pid) => pids.push(pid),
    );
    await supervised.start();
    process.kill(supervised.pid, 'SIGKILL');
    await waitUntil(() => count('healthy') === 2, 5_000);
    expect(readFileSync(prepared, 'utf8')).toBe('xx');
  });

  it('stops the whole group, by force where it must, and does not restart it', async () => {
    await supervise('trap "" TERM; sleep 300 & while :; do sleep 1; done').start();
    const { pid } = supervised;
    await supervised.stop();
    expect(groupExists(pid)).toBe(false);
    expect(count('restart')).toBe(0);
  });

  it('can be stopped while it starts', async () => {
    const start = supervise('exec sleep 300', () => Promise.reject(new Error('never'))).start();
    const failed = expect(start).rejects.toThrow(/was stopped while it started/);
    await waitUntil(() => supervised.pid > 0, 5_000);
    await supervised.stop();
    await failed;
  });
});
