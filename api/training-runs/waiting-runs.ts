import { topicOfProject } from '../../infra/database/event-channel.js';
import type { WakeupsService } from '../events/wakeups.service.js';

/**
 * Follows the events of projects with runs that wait for others, so that the next run begins as soon as one has ended.
 * What is missed here is found by the next round of the reconciler.
 */
export class WaitingRuns {
  private readonly followed = new Map<string, Promise<void>>();
  private readonly stopped = new AbortController();

  /** @param startNext starts the runs of a project whose turn it is, and says whether others still wait */
  constructor(
    private readonly wakeups: WakeupsService,
    private readonly startNext: (project: string) => Promise<boolean>,
    private readonly failed: (project: string, error: Error) => void,
  ) {}

  /** Until no run of the project waits any more. */
  follow(project: string): void {
    if (this.followed.has(project) || this.stopped.signal.aborted) return;
    const followed = this.startInTurn(project)
      .catch((error: Error) => this.failed(project, error))
      .finally(() => this.followed.delete(project));
    this.followed.set(project, followed);
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.followed.values());
  }

  private async startInTurn(project: string): Promise<void> {
    const moments = this.wakeups.of(topicOfProject(project), this.stopped.signal);
    try {
      while (!(await moments.next()).done && (await this.startNext(project)));
    } finally {
      await moments.return();
    }
  }
}
