import { describe, expect, it } from '@jest/globals';
import type { Worker } from '@temporalio/worker';
import { runTogether } from './agent-workers.js';

type State = ReturnType<Worker['getState']>;

/** A worker whose run ends when it is shut down, or as the test wants it. */
function worker(): { worker: Worker; fail: (error: Error) => void; state: () => State } {
  let state: State = 'INITIALIZED';
  let stop = () => {};
  let fail: (error: Error) => void = () => {};
  const running = new Promise<void>((resolve, reject) => {
    stop = resolve;
    fail = reject;
  });
  const end = (to: State) => () => void (state = to);
  const made = {
    getState: () => state,
    run: () => {
      state = 'RUNNING';
      return running.then(end('STOPPED'), (error: Error) => {
        state = 'FAILED';
        throw error;
      });
    },
    shutdown: () => {
      if (state !== 'RUNNING') throw new Error('Not running');
      state = 'STOPPING';
      stop();
    },
  };
  return { worker: made as unknown as Worker, fail, state: () => state };
}

describe('runTogether', () => {
  it('ends when its workers are shut down', async () => {
    const [first, second] = [worker(), worker()];
    const running = runTogether([first.worker, second.worker]);
    first.worker.shutdown();
    second.worker.shutdown();
    await running;
    expect([first.state(), second.state()]).toEqual(['STOPPED', 'STOPPED']);
  });

  it('shuts the others down when one fails, and throws what it failed with', async () => {
    const workers = [worker(), worker(), worker()];
    const running = runTogether(workers.map(({ worker }) => worker));
    workers[1].fail(new Error('no such namespace'));
    await expect(running).rejects.toThrow('no such namespace');
    expect(workers.map(({ state }) => state())).toEqual(['STOPPED', 'FAILED', 'STOPPED']);
  });

  it('waits no longer than its grace for calls that do not end after a failure', async () => {
    const [failing, hanging] = [worker(), worker()];
    hanging.worker.shutdown = () => undefined;
    const running = runTogether([failing.worker, hanging.worker], 10);
    failing.fail(new Error('cannot decode'));
    await expect(running).rejects.toThrow('cannot decode');
    expect(hanging.state()).toBe('RUNNING');
  });

  it('ends when a worker has failed and does not say so', async () => {
    const silent = { run: () => new Promise(() => undefined), getState: () => 'FAILED', shutdown: () => undefined };
    await expect(runTogether([silent as unknown as Worker], 10)).rejects.toThrow(/worker failed/);
  });
});
