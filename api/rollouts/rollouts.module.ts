import { Module } from '@nestjs/common';
import { TrainingRunsModule } from '../training-runs/training-runs.module.js';
import { RolloutsController } from './rollouts.controller.js';
import { RolloutsService } from './rollouts.service.js';

@Module({ imports: [TrainingRunsModule], controllers: [RolloutsController], providers: [RolloutsService] })
export class RolloutsModule {}
