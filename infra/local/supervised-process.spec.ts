import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { groupExists, waitUntil } from './process-group.js';
import { identify } from './process-identity.js';
import type { ProcessEvent } from './stack-events.js';
import { StartFailed, SupervisedProcess, type ProcessDefinition, type Supervisor } from './supervised-process.js';

/** How long a test waits for what must come; as long as a machine with much else to do may need. */
const PATIENCE_MS = 60_000;

describe(SupervisedProcess, () => {
  let directory: string;
  let events: ProcessEvent[];
  let pids: number[];
  let supervised: SupervisedProcess;
  let hasRoom: boolean;
  let record: (pid: number) => void;

  const supervisor: Supervisor = {
    emit: (event) => void events.push(event),
    record: (pid) => record(pid),
    hasRoom: () => hasRoom,
  };

  function supervise(
    script: string,
    check: () => Promise<void> = () => Promise.resolve(),
    different: Partial<ProcessDefinition> = {},
  ): SupervisedProcess {
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
      orphanSignal: 'SIGKILL',
      liveness: { ask: () => Promise.resolve(), silenceMs: 60_000, lost: 'nothing is lost' },
      ...different,
    };
    supervised = new SupervisedProcess(definition, supervisor);
    return supervised;
  }

  const types = () => events.map(({ type }) => type);
  const count = (type: ProcessEvent['type']) => types().filter((other) => other === type).length;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'supervised-'));
    events = [];
    pids = [];
    hasRoom = true;
    record = (pid) => void pids.push(pid);
  });

  afterEach(() => supervised.stop());

  it('waits for health and writes a log file', async () => {
    const ready = join(directory, 'ready');
    const check = () => (existsSync(ready) ? Promise.resolve() : Promise.reject(new Error('not yet')));
    await supervise('echo hello; sleep 0.3; touch ready; sleep 300', check).start();
    expect(existsSync(ready)).toBe(true);
    expect(types()).toEqual(['starting', 'healthy']);
    expect(readFileSync(join(directory, 'dummy.log'), 'utf8')).toBe('hello\n'); // written before `ready`
  });

  it('restarts a process that is killed, with growing delays, and says so', async () => {
    await supervise('exec sleep 300').start();
    for (const deaths of [1, 2]) {
      process.kill(supervised.pid, 'SIGKILL');
      expect(await waitUntil(() => count('healthy') === deaths + 1, PATIENCE_MS)).toBe(true);
    }
    expect(types()).toEqual(['starting', 'healthy', 'exit', 'restart', 'healthy', 'exit', 'restart', 'healthy']);
    expect(events.flatMap((event) => (event.type === 'restart' ? event.delayMs : []))).toEqual([250, 500]);
    expect(new Set(pids).size).toBe(3);
  });

  it('ends what a dead leader has left of its group', async () => {
    await supervise('sleep 300 & sleep 300').start();
    const leader = supervised.pid;
    process.kill(leader, 'SIGKILL');
    expect(await waitUntil(() => count('healthy') === 2, PATIENCE_MS)).toBe(true);
    expect(groupExists(leader)).toBe(false);
  });

  it('fails the start of a process that keeps dying, with the end of its log', async () => {
    const start = supervise('echo "no such model" >&2; exit 3', () => Promise.reject(new Error('dead'))).start();
    await expect(start).rejects.toThrow(StartFailed);
    await expect(start).rejects.toThrow(/dummy died 3 times[^]*no such model/);
    expect(groupExists(supervised.pid)).toBe(false);
  });

  it('fails the start of a program that does not exist', async () => {
    supervise('', undefined, { command: join(directory, 'missing') });
    await expect(supervised.start()).rejects.toThrow(/ENOENT/);
    expect(count('cannot-start')).toBe(1);
  });

  describe('whose start is slow', () => {
    const never = () => Promise.reject(new Error('never'));

    it('comes up late if its log grows meanwhile', async () => {
      const ready = join(directory, 'ready');
      const script = 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done; touch ready; exec sleep 300';
      const check = () => (existsSync(ready) ? Promise.resolve() : never());
      await supervise(script, check, { patienceMs: 3_000 }).start();
      expect(types()).toEqual(['starting', 'healthy']);
    });

    it('is given up when its log stands still, with the last state of a progress bar', async () => {
      const start = supervise(`printf '1%%\\r50%%\\r99%%\\n'; exec sleep 300`, never, { patienceMs: 2_000 }).start();
      await expect(start).rejects.toThrow(/did not become healthy in time.*dummy\.log:\n99%$/);
    });

    it('is given up in the end, whatever it writes', async () => {
      const start = supervise('while :; do echo x; sleep 0.1; done', never, { patienceMs: 1_000 }).start();
      await expect(start).rejects.toThrow(/did not become healthy in time/);
    });
  });

  it('clears up before every start', async () => {
    const prepared = join(directory, 'prepared');
    const prepare = () => Promise.resolve(writeFileSync(prepared, 'x', { flag: 'a' }));
    await supervise('exec sleep 300', undefined, { prepare }).start();
    process.kill(supervised.pid, 'SIGKILL');
    expect(await waitUntil(() => count('healthy') === 2, PATIENCE_MS)).toBe(true);
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
    await waitUntil(() => supervised.pid > 0, PATIENCE_MS);
    await supervised.stop();
    await failed;
  });

  describe('that cannot be recorded', () => {
    const full = () => {
      throw new Error('ENOSPC: no space left on device, open stack.json');
    };

    it('does not run: whatever was started is stopped, however often it is tried, and it is said once', async () => {
      await supervise('exec sleep 300').start();
      record = (pid) => {
        pids.push(pid);
        full();
      };
      process.kill(supervised.pid, 'SIGKILL');
      expect(await waitUntil(() => pids.length === 4, PATIENCE_MS)).toBe(true);
      expect(pids.slice(0, 3).filter((pid) => identify(pid))).toEqual([]);
      expect(count('cannot-start')).toBe(1);
      expect(events).toContainEqual({
        type: 'cannot-start',
        name: 'dummy',
        message: expect.stringContaining('ENOSPC'),
      });
      record = (pid) => void pids.push(pid);
      expect(await waitUntil(() => count('healthy') === 2, PATIENCE_MS)).toBe(true);
      expect(pids.filter((pid) => identify(pid))).toEqual([supervised.pid]);
    });

    it('fails its first start, and leaves nothing', async () => {
      record = (pid) => {
        pids.push(pid);
        full();
      };
      await expect(supervise('exec sleep 300').start()).rejects.toThrow(/cannot be recorded .*ENOSPC/);
      expect(pids).toHaveLength(3);
      expect(pids.filter((pid) => identify(pid))).toEqual([]);
    });
  });

  it('runs without a log while none can be written, and says so once', async () => {
    const logFile = join(directory, 'logs/dummy.log');
    mkdirSync(logFile, { recursive: true }); // a directory in its place
    await supervise('echo hello; exec sleep 300', undefined, { logFile }).start();
    process.kill(supervised.pid, 'SIGKILL');
    expect(await waitUntil(() => count('healthy') === 2, PATIENCE_MS)).toBe(true);
    expect(count('no-log')).toBe(1);
    rmSync(logFile, { recursive: true });
    process.kill(supervised.pid, 'SIGKILL');
    expect(await waitUntil(() => count('healthy') === 3, PATIENCE_MS)).toBe(true);
    // Healthy says that the check passed, not that the shell has written its line.
    expect(await waitUntil(() => readFileSync(logFile, 'utf8') === 'hello\n', PATIENCE_MS)).toBe(true);
  });

  it('waits for space on the disk before it starts again', async () => {
    await supervise('exec sleep 300').start();
    hasRoom = false;
    process.kill(supervised.pid, 'SIGKILL');
    expect(await waitUntil(() => count('restart') === 1, PATIENCE_MS)).toBe(true);
    expect(await waitUntil(() => pids.length > 1, 2_000)).toBe(false);
    hasRoom = true;
    expect(await waitUntil(() => count('healthy') === 2, PATIENCE_MS)).toBe(true);
  });

  describe('that hangs', () => {
    const lost = 'the work under way is done again';
    const beating = `while :; do printf . >&3; sleep 0.1; done`;

    it('is killed and started again when it no longer beats, and what was lost is said', async () => {
      await supervise(beating, undefined, { liveness: { silenceMs: 1_500, lost } }).start();
      const { pid } = supervised;
      expect(await waitUntil(() => count('hung') > 0, 2_000)).toBe(false);
      process.kill(pid, 'SIGSTOP');
      expect(await waitUntil(() => count('healthy') === 2, PATIENCE_MS)).toBe(true);
      expect(types()).toEqual(['starting', 'healthy', 'hung', 'exit', 'restart', 'healthy']);
      expect(events[2]).toMatchObject({ name: 'dummy', pid, lost });
      expect(identify(pid)).toBeUndefined();
    });

    it('is killed when it no longer answers, and not when it answers late', async () => {
      let answer = () => new Promise<void>((resolve) => setTimeout(resolve, 1_000));
      await supervise('exec sleep 300', undefined, {
        liveness: { ask: () => answer(), silenceMs: 2_500, lost },
      }).start();
      expect(await waitUntil(() => count('hung') > 0, 4_000)).toBe(false);
      answer = () => Promise.reject(new Error('connection refused'));
      expect(await waitUntil(() => count('hung') === 1, PATIENCE_MS)).toBe(true);
    });

    it('is not judged while the disk is full', async () => {
      hasRoom = false;
      await supervise('exec sleep 300', undefined, { liveness: { silenceMs: 500, lost } }).start();
      expect(await waitUntil(() => count('hung') > 0, 2_000)).toBe(false);
      hasRoom = true;
      expect(await waitUntil(() => count('hung') === 1, PATIENCE_MS)).toBe(true);
    });

    it('is killed when a restart does not become healthy in the time that a start may take', async () => {
      let healthy = true;
      const check = () => (healthy ? Promise.resolve() : Promise.reject(new Error('not yet')));
      await supervise('exec sleep 300', check, {
        patienceMs: 1_000,
        liveness: { ask: check, silenceMs: 60_000, lost },
      }).start();
      healthy = false;
      process.kill(supervised.pid, 'SIGKILL');
      supervised.definition.liveness.silenceMs = 0;
      expect(await waitUntil(() => count('hung') === 1, PATIENCE_MS)).toBe(true);
      healthy = true;
      expect(await waitUntil(() => count('healthy') === 2, PATIENCE_MS)).toBe(true);
    });
  });
});
