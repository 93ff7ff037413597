import { Module } from '@nestjs/common';
import { TrainingRunsModule } from '../training-runs/training-runs.module.js';
import { PoliciesController } from './policies.controller.js';
import { PoliciesService } from './policies.service.js';

@Module({ imports: [TrainingRunsModule], controllers: [PoliciesController], providers: [PoliciesService] })
export class PoliciesModule {}
