import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DATASET_CHECK_WORKFLOW } from '../../contracts/uploaded-dataset.js';
import { UploadedDataset } from '../../infra/database/entities/index.js';
import { DATASETS_TOPIC } from '../../infra/database/event-channel.js';
import { WakeupsService } from '../events/wakeups.service.js';
import { Workflows } from '../temporal/workflows.js';
import { StoredUploads } from './stored-uploads.js';

const HOUR_MS = 60 * 60 * 1000;

/**
 * Sees to it that a workflow checks every dataset that is uploaded: starts one as soon as it is there, and another one if it
 * has ended without a result. Sweeps up what uploads left that were broken off. Several API processes may do this at once.
 */
@Injectable()
export class UploadChecksService implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(UploadChecksService.name);
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private sweptAt = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly workflows: Workflows,
    private readonly wakeups: WakeupsService,
    private readonly files: StoredUploads,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const wakes = this.wakeups.of(DATASETS_TOPIC, this.stopped.signal);
    while (!(await wakes.next()).done) {
      try {
        await this.startDue();
        await this.sweep();
      } catch (error) {
        this.logger.warn(`Checks of datasets could not be started: ${(error as Error).message}`);
      }
    }
  }

  private async startDue(): Promise<void> {
    const due = await this.dataSource.getRepository(UploadedDataset).findBy({ status: 'checking' });
    for (const { id, name, project } of due) {
      if (this.stopped.signal.aborted) return;
      const row = { id, type: DATASET_CHECK_WORKFLOW, workflow: null };
      const staticSummary = `Check of the dataset ${name} of ${project}`;
      await this.workflows.start(row, { input: { id }, isNext: true, staticSummary });
    }
  }

  private async sweep(): Promise<void> {
    if (Date.now() - this.sweptAt < HOUR_MS) return;
    await this.files.sweep();
    this.sweptAt = Date.now();
  }
}
