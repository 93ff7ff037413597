import { CancellationScope, sleep } from '@temporalio/workflow';

/** Cancels work when the time for it has passed. Time during which it stands still does not count. */
export class Deadline {
  private readonly scope = new CancellationScope();
  private timer: CancellationScope | undefined;
  private since = 0;
  private open = false;
  private still = false;

  constructor(private leftMs: number) {}

  /** @returns the work's result; calls of work that is still open at the deadline end as cancelled */
  limit<T>(work: () => Promise<T>): Promise<T> {
    return this.scope.run(async () => {
      this.open = true;
      this.start();
      try {
        return await work();
      } finally {
        this.open = false;
        this.stop();
      }
    });
  }

  /** Stops the time while work is open, or lets it go on. */
  standStill(still: boolean): void {
    this.still = still;
    if (still) this.stop();
    else this.start();
  }

  private start(): void {
    if (!this.open || this.still) return;
    this.since = Date.now();
    this.timer = new CancellationScope();
    this.timer.run(() => sleep(this.leftMs)).then(() => this.scope.cancel(), ignoreStopped);
  }

  private stop(): void {
    if (!this.timer) return;
    this.leftMs = Math.max(1, this.leftMs - (Date.now() - this.since));
    this.timer.cancel();
    this.timer = undefined;
  }
}

function ignoreStopped(): void {
  // The time stands still, or the work is done.
}
