import { Module } from '@nestjs/common';
import { ExportsModule } from '../exports/exports.module.js';
import { TrainingRunsModule } from '../training-runs/training-runs.module.js';
import { PoliciesController } from './policies.controller.js';
import { PoliciesService } from './policies.service.js';

@Module({
  imports: [TrainingRunsModule, ExportsModule],
  controllers: [PoliciesController],
  providers: [PoliciesService],
})
export class PoliciesModule {}
