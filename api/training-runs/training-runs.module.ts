import { Module } from '@nestjs/common';
import { WakeupsModule } from '../events/wakeups.module.js';
import { LostWorkersService } from './lost-workers.service.js';
import { RunVerbsController } from './run-verbs.controller.js';
import { TrainingRunsController } from './training-runs.controller.js';
import { TrainingRunsRepository } from './training-runs.repository.js';
import { TrainingRunsService } from './training-runs.service.js';

@Module({
  imports: [WakeupsModule],
  controllers: [TrainingRunsController, RunVerbsController],
  providers: [TrainingRunsRepository, TrainingRunsService, LostWorkersService],
  exports: [TrainingRunsService],
})
export class TrainingRunsModule {}
