import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { TrainingRun } from '../../infra/database/entities/index.js';
import { RunWorkflows } from '../temporal/run-workflows.js';
import { TrainingRunsRepository } from './training-runs.repository.js';

const INTERVAL_MS = 30_000;

/** Starts the workflows of runs that are still queued: after an outage of Temporal, or of the API right after a commit. */
@Injectable()
export class RunReconcilerService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(RunReconcilerService.name);
  private timer?: NodeJS.Timeout;
  private round: Promise<void> = Promise.resolve();

  constructor(
    private readonly repository: TrainingRunsRepository,
    private readonly workflows: RunWorkflows,
  ) {}

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

  /** One round. An outage ends it; the next round tries again. */
  async reconcile(): Promise<void> {
    try {
      for (const run of await this.repository.listQueued()) await this.start(run);
    } catch (error) {
      this.logger.warn(`Queued training runs could not be started: ${(error as Error).message}`);
    }
  }

  private async start(run: TrainingRun): Promise<void> {
    if (await this.workflows.start(run)) return;
    this.logger.warn(`${run.id} is queued, but its workflow has ended without ever writing a status.`);
  }
}
