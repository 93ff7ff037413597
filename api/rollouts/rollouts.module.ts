import { Module } from '@nestjs/common';
import { TrainingRunsModule } from '../training-runs/training-runs.module.js';
import { GroupsController } from './groups.controller.js';
import { GroupsService } from './groups.service.js';
import { RolloutsController } from './rollouts.controller.js';
import { RolloutsService } from './rollouts.service.js';

@Module({
  imports: [TrainingRunsModule],
  controllers: [RolloutsController, GroupsController],
  providers: [RolloutsService, GroupsService],
})
export class RolloutsModule {}
