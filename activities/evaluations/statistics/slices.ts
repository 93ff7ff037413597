import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * A long computation in slices: it yields after each, so that whoever runs it can let others go on in between. What it
 * returns does not depend on who runs it.
 */
export type Slices<T> = Generator<void, T>;

/** Runs it to its end at once. */
export function finish<T>(work: Slices<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/**
 * Runs it a slice a turn of the event loop: heartbeats and the worker's other calls go on in between.
 * A thread would need the code once more in a form that runs outside of the build.
 */
export async function inTurns<T>(work: Slices<T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await nextTurn();
  }
}
