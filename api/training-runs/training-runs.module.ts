import { Module } from '@nestjs/common';
import { RunReconcilerService } from './run-reconciler.service.js';
import { RunVerbsController } from './run-verbs.controller.js';
import { RunVerbsService } from './run-verbs.service.js';
import { TrainingRunsController } from './training-runs.controller.js';
import { TrainingRunsRepository } from './training-runs.repository.js';
import { TrainingRunsService } from './training-runs.service.js';

@Module({
  controllers: [TrainingRunsController, RunVerbsController],
  providers: [TrainingRunsRepository, TrainingRunsService, RunVerbsService, RunReconcilerService],
  exports: [TrainingRunsService],
})
export class TrainingRunsModule {}
