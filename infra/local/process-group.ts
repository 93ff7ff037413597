import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupMembers } from './process-identity.js';

const POLL_MS = 50;
const KILL_PATIENCE_MS = 5_000;

/** Sends a signal to every process of the group; nothing happens when the group is gone or another user's. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Whether a process of the group runs. Zombies do not: a container's first process may never reap orphans. */
export function groupExists(group: number): boolean {
  if (existsSync('/proc/self/stat')) return groupMembers(group).length > 0;
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

/** Asks the group to end with `signal` and kills it when it has not after `graceMs`. */
export async function endGroup(group: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  signalGroup(group, signal);
  if (await waitUntil(() => !groupExists(group), graceMs)) return;
  signalGroup(group, 'SIGKILL');
  await waitUntil(() => !groupExists(group), KILL_PATIENCE_MS);
}

/** Polls until the condition holds; false when it does not within `patienceMs`. */
export async function waitUntil(condition: () => boolean, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  while (!condition()) {
    if (Date.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}
