import { Injectable } from '@nestjs/common';
import type { TrainingRun } from '../../infra/database/entities/index.js';
import { Reconciler } from '../temporal/reconciler.js';
import { RunWorkflows } from '../temporal/run-workflows.js';
import { TrainingRunsRepository } from './training-runs.repository.js';

@Injectable()
export class RunReconcilerService extends Reconciler<TrainingRun> {
  constructor(
    private readonly repository: TrainingRunsRepository,
    private readonly workflows: RunWorkflows,
  ) {
    super();
  }

  protected listQueued(): Promise<TrainingRun[]> {
    return this.repository.listQueued();
  }

  protected start(run: TrainingRun): Promise<boolean> {
    return this.workflows.start(run);
  }
}
