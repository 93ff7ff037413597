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
});
