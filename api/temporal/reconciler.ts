import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { toApiError } from '../common/to-api-error.js';

const INTERVAL_MS = 30_000;

/** Starts the workflows of rows that are still queued: after an outage of Temporal, or of the API right after a commit. */
export abstract class Reconciler<Row extends { id: string }> implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(this.constructor.name);
  private timer?: NodeJS.Timeout;
  private round: Promise<void> = Promise.resolve();

  protected abstract listQueued(): Promise<Row[]>;
  /** @returns false where the row's workflow has already ended */
  protected abstract start(row: Row): Promise<boolean>;

  onApplicationBootstrap(): void {
    this.round = this.reconcile();
    this.timer = setInterval(() => {
      this.round = this.round.then(() => this.reconcile());
    }, INTERVAL_MS);
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.round;
  }

  /** One round. An outage ends it, and the next round tries again; a row that is refused keeps no other from starting. */
  async reconcile(): Promise<void> {
    try {
      for (const row of await this.listQueued()) await this.startRow(row);
    } catch (error) {
      this.logger.warn(`What is queued could not be started: ${(error as Error).message}`);
    }
  }

  private async startRow(row: Row): Promise<void> {
    try {
      if (await this.start(row)) return;
      this.logger.warn(`${row.id} is queued, but its workflow has ended without ever writing a status.`);
    } catch (error) {
      if (toApiError(error)?.status === 503) throw error;
      this.logger.error(`${row.id} is queued, but its workflow cannot be started: ${(error as Error).message}`);
    }
  }
}
