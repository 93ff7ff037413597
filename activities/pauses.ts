import { setImmediate as nextTurn } from 'node:timers/promises';

/** Of a turn of the event loop: pauses cost nothing beside it, and no heartbeat comes late by it. */
const TURN_MS = 25;

/**
 * For a loop over much data that waits for nothing else: awaited in each round, it ends the turn of the event loop if that
 * has lasted long enough, so that heartbeats and the worker's other calls go on in between.
 */
export function pauses(): () => Promise<void> | undefined {
  let began = performance.now();
  return () => {
    if (performance.now() - began < TURN_MS) return undefined;
    return nextTurn().then(() => void (began = performance.now()));
  };
}
