import { Column, Entity, Index } from 'typeorm';
import type { EvaluationReport, EvaluationStatus } from '../../../contracts/benchmark-evaluation.js';
import type { EvaluationConfig } from '../../../contracts/evaluation-config.js';
import { Submission } from './submission.entity.js';

/** Policies on benchmarks. Its id, `eval-…`, is also the `run_id` of its flows. */
@Entity('benchmark_evaluations')
@Index('benchmark_evaluations_project_number', ['project', 'number'])
export class BenchmarkEvaluation extends Submission<EvaluationStatus> {
  @Column({ type: 'text' })
  name: string;

  /** Complete: every default filled in. */
  @Column({ type: 'jsonb' })
  config: EvaluationConfig;

  /** Once all flows have ended. */
  @Column({ type: 'jsonb', nullable: true })
  report: EvaluationReport | null;
}
