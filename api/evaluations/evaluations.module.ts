import { Module } from '@nestjs/common';
import { TrainingRunsModule } from '../training-runs/training-runs.module.js';
import { EvaluationsController } from './evaluations.controller.js';
import { EvaluationsService } from './evaluations.service.js';

@Module({ imports: [TrainingRunsModule], controllers: [EvaluationsController], providers: [EvaluationsService] })
export class EvaluationsModule {}
