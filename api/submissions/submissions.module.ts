import { Global, Module } from '@nestjs/common';
import { ProjectDatasets } from './project-datasets.js';
import { RemovalsService } from './removal/removals.service.js';
import { ReconcilerService } from './reconciler.service.js';

/** What training runs, agent flows and evaluations share. */
@Global()
@Module({
  providers: [ProjectDatasets, ReconcilerService, RemovalsService],
  exports: [ProjectDatasets, ReconcilerService, RemovalsService],
})
export class SubmissionsModule {}
