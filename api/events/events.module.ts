import { Module } from '@nestjs/common';
import { TrainingRunsModule } from '../training-runs/training-runs.module.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';
import { ProjectEventsController } from './project-events.controller.js';
import { ProjectEventsService } from './project-events.service.js';
import { WakeupsModule } from './wakeups.module.js';

@Module({
  imports: [TrainingRunsModule, WakeupsModule],
  controllers: [EventsController, ProjectEventsController],
  providers: [EventsService, ProjectEventsService],
})
export class EventsModule {}
