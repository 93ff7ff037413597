import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';
import type { EvaluationSummary } from '../../../contracts/training-run.js';

/** A finished evaluation of one planner on the held-out questions. */
@Entity('evaluations')
@Index('evaluations_run_step', ['runId', 'step'])
export class HeldOutEvaluation {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ name: 'run_id', type: 'text' })
  runId: string;

  @Column({ type: 'int' })
  step: number;

  @Column({ type: 'text' })
  planner: EvaluationSummary['planner'];

  @Column({ name: 'policy_name', type: 'text' })
  policyName: string;

  @Column({ name: 'policy_sha256', type: 'text' })
  policySha256: string;

  @Column({ type: 'int' })
  questions: number;

  @Column({ type: 'int' })
  correct: number;

  /** Flows that ended excluded: counted as wrong, shown apart. */
  @Column({ type: 'int' })
  failed: number;

  @Column({ type: 'double precision' })
  accuracy: number;

  /** 95 % Wilson interval. */
  @Column({ name: 'interval_low', type: 'double precision' })
  intervalLow: number;

  @Column({ name: 'interval_high', type: 'double precision' })
  intervalHigh: number;

  @Column({ name: 'by_family', type: 'jsonb' })
  byFamily: EvaluationSummary['byFamily'];

  @Column({ name: 'mean_turns', type: 'double precision' })
  meanTurns: number;

  @Column({ name: 'tool_mix', type: 'jsonb' })
  toolMix: EvaluationSummary['toolMix'];

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
