import PQueue from 'p-queue';

const MINUTE_MS = 60_000;

/** How many calls of this process a provider gets at once, and how often a new one. */
export class ProviderLimits {
  private readonly queue: PQueue;

  constructor({ concurrency, requests_per_minute: rate }: { concurrency: number; requests_per_minute?: number }) {
    const spacing = rate === undefined ? {} : { interval: MINUTE_MS / rate, intervalCap: 1 };
    this.queue = new PQueue({ concurrency, ...spacing });
  }

  /**
   * Runs the call when there is a place for it.
   * @returns its result and how long it waited for the place
   * @throws the signal's reason where it is aborted before the call began, and what the call throws
   */
  async run<T>(call: () => Promise<T>, signal: AbortSignal): Promise<{ result: T; waitedMs: number }> {
    const asked = performance.now();
    return this.queue.add(
      async () => {
        const waitedMs = performance.now() - asked;
        return { result: await call(), waitedMs };
      },
      { signal },
    );
  }
}
