import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { SEEN_EVERY_MS, workerEnds, workerSeen } from '../../infra/database/workers.js';

/** Says in the database that this agent worker is there, until it ends: who falls silent is told of as lost. */
export class Presence {
  private readonly worker = {
    id: `agent/${randomUUID()}`,
    kind: 'agent',
    identity: `${process.pid}@${hostname()}`,
  } as const;
  private timer?: NodeJS.Timeout;
  /** One at a time: a late one must not follow the end. */
  private told: Promise<void> = Promise.resolve();

  constructor(private readonly dataSource: DataSource) {}

  begin(): void {
    this.tell();
    this.timer = setInterval(() => this.tell(), SEEN_EVERY_MS);
  }

  async end(): Promise<void> {
    clearInterval(this.timer);
    await this.told;
    await workerEnds(this.dataSource, this.worker.id).catch((error: Error) => console.warn(error.message));
  }

  private tell(): void {
    // An outage of the database is nobody's loss: the next telling comes soon.
    this.told = this.told.then(() =>
      workerSeen(this.dataSource, this.worker).catch((error: Error) => console.warn(error.message)),
    );
  }
}
