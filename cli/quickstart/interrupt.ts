const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Aborted when the process is asked to stop. The listeners stay: what gives a terminal its cursor back after the spinner
 * ends the process at once, and leaves the stack running, where it finds nobody else listening to a signal.
 */
export function interruptSignal(): AbortSignal {
  const interrupt = new AbortController();
  for (const signal of STOP_SIGNALS) process.on(signal, () => interrupt.abort());
  return interrupt.signal;
}
