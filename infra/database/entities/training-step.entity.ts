import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { StepAnswers } from '../../../contracts/step-answers.js';

/** A finished training step with its metrics (StepMetrics and what the rollouts of the step were like). */
@Entity('training_steps')
export class TrainingStep {
  @PrimaryColumn({ name: 'run_id', type: 'text' })
  runId: string;

  @PrimaryColumn({ type: 'int' })
  step: number;

  @Column({ name: 'policy_sha256', type: 'text' })
  policySha256: string;

  @Column({ type: 'jsonb' })
  metrics: Record<string, unknown>;

  /** What the answers of its rollouts were like; null if it has none, and for steps of older versions. */
  @Column({ type: 'jsonb', nullable: true })
  answers: StepAnswers | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
