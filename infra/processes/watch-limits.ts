import type { ChildProcess } from 'node:child_process';
import { processUsage } from './process-usage.js';

const WATCH_MS = 50;

/** How V8 ends a process that needs more memory than its heap may have. */
export const OUT_OF_HEAP = new Set<NodeJS.Signals | null>(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV']);

export interface ProcessLimits {
  /** Seconds of processor time. */
  cpuSeconds: number;
  /** On the wall: other processes want the processor too. */
  seconds: number;
  /** Of resident memory. */
  megabytes: number;
}

export type PassedLimit = 'time_limit' | 'memory_limit';

/** Kills a child that passes a limit, and says which it was. Stop it when the child has ended. */
export function watchLimits(
  child: ChildProcess,
  limits: ProcessLimits,
): { passed: () => PassedLimit | undefined; stop: () => void } {
  let passed: PassedLimit | undefined;
  const end = (limit: PassedLimit) => {
    passed ??= limit;
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => end('time_limit'), limits.seconds * 1000);
  const interval = setInterval(() => {
    if (child.pid === undefined) return;
    void processUsage(child.pid).then((usage) => {
      if (!usage || child.exitCode !== null || child.signalCode !== null) return;
      if (usage.residentBytes > limits.megabytes * 1024 * 1024) end('memory_limit');
      if (usage.cpuSeconds > limits.cpuSeconds) end('time_limit');
    });
  }, WATCH_MS);
  return {
    passed: () => passed,
    stop: () => {
      clearTimeout(timer);
      clearInterval(interval);
    },
  };
}
