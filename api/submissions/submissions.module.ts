import { Global, Module } from '@nestjs/common';
import { RemovalsService } from './removal/removals.service.js';
import { ReconcilerService } from './reconciler.service.js';

/** What training runs, agent flows and evaluations share. */
@Global()
@Module({ providers: [ReconcilerService, RemovalsService], exports: [ReconcilerService, RemovalsService] })
export class SubmissionsModule {}
