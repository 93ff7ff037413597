import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';
import type { RunFailure } from '../../../workflows/contracts/agent-activities.js';
import type { EvaluationReport, EvaluationStatus } from '../../../workflows/contracts/benchmark-evaluation.js';
import type { EvaluationConfig } from '../../../workflows/contracts/evaluation-config.js';

/** Policies on benchmarks, as someone submitted it. After its creation it is written by evaluation-status.ts alone. */
@Entity('benchmark_evaluations')
@Index('benchmark_evaluations_project_created', ['project', 'createdAt', 'id'])
export class BenchmarkEvaluation {
  /** `eval-` and ten base32 characters; also the id of the Temporal workflow and the run id of its flows. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  project: string;

  @Column({ type: 'text' })
  name: string;

  /** Complete: every default filled in. */
  @Column({ type: 'jsonb' })
  config: EvaluationConfig;

  @Column({ type: 'text' })
  status: EvaluationStatus;

  /** Supplied by the workflow, ascending; 0 is the API's `queued`. */
  @Column({ name: 'status_version', type: 'int', default: 0 })
  statusVersion: number;

  @Column({ type: 'jsonb', nullable: true })
  failure: RunFailure | null;

  /** Once all flows have ended. */
  @Column({ type: 'jsonb', nullable: true })
  report: EvaluationReport | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt: Date | null;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}
