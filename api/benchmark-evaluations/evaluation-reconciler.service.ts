import { Injectable } from '@nestjs/common';
import type { BenchmarkEvaluation } from '../../infra/database/entities/index.js';
import { EvaluationWorkflows } from '../temporal/evaluation-workflows.js';
import { Reconciler } from '../temporal/reconciler.js';
import { BenchmarkEvaluationsRepository } from './benchmark-evaluations.repository.js';

@Injectable()
export class EvaluationReconcilerService extends Reconciler<BenchmarkEvaluation> {
  constructor(
    private readonly repository: BenchmarkEvaluationsRepository,
    private readonly workflows: EvaluationWorkflows,
  ) {
    super();
  }

  protected listQueued(): Promise<BenchmarkEvaluation[]> {
    return this.repository.listQueued();
  }

  protected start(evaluation: BenchmarkEvaluation): Promise<boolean> {
    return this.workflows.start(evaluation);
  }
}
