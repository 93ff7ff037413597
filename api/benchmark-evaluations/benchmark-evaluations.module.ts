import { Module } from '@nestjs/common';
import { BenchmarkEvaluationsController } from './benchmark-evaluations.controller.js';
import { BenchmarkEvaluationsRepository } from './benchmark-evaluations.repository.js';
import { BenchmarkEvaluationsService } from './benchmark-evaluations.service.js';

@Module({
  controllers: [BenchmarkEvaluationsController],
  providers: [BenchmarkEvaluationsRepository, BenchmarkEvaluationsService],
})
export class BenchmarkEvaluationsModule {}
