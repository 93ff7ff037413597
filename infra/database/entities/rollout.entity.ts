import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';
import type { Grading } from '../../../contracts/scoring.js';
import type { FlowRef, MemoryEntry, Outcome } from '../../../contracts/flow.js';

/** One finished agent flow on a query: a training rollout or an evaluation question. */
@Entity('rollouts')
@Index('rollouts_run_purpose_step', ['submissionId', 'purpose', 'step'])
/** In both directions: what has no value comes last, and is read apart (api/rollouts/sorted-rollouts.ts). */
@Index('rollouts_run_reward', ['submissionId', 'reward', 'step', 'groupIndex', 'rolloutIndex', 'flowId'])
@Index('rollouts_run_advantage', ['submissionId', 'advantage', 'step', 'groupIndex', 'rolloutIndex', 'flowId'])
export class Rollout {
  @PrimaryColumn({ name: 'flow_id', type: 'text', collation: 'C' })
  flowId: string;

  /** Of the run or the evaluation that it belongs to; its own if someone asked it. */
  @Column({ name: 'run_id', type: 'text' })
  submissionId: string;

  @Column({ type: 'text' })
  purpose: FlowRef['purpose'];

  @Column({ type: 'int' })
  step: number;

  @Column({ name: 'group_index', type: 'int' })
  groupIndex: number;

  @Column({ name: 'rollout_index', type: 'int' })
  rolloutIndex: number;

  @Column({ name: 'query_id', type: 'text' })
  queryId: string;

  @Column({ type: 'text' })
  family: string;

  @Column({ type: 'text' })
  question: string;

  @Column({ type: 'text' })
  outcome: Outcome;

  /** Null unless the outcome is a scored one (I2). */
  @Column({ type: 'double precision', nullable: true })
  reward: number | null;

  /**
   * With which its planner's tokens teach, written when the batch of its step is frozen. Null if they teach nothing: no
   * batch holds them, or a decision leaves their group out. Null also for rollouts of older versions.
   */
  @Column({ type: 'double precision', nullable: true })
  advantage: number | null;

  @Column({ type: 'text', nullable: true })
  answer: string | null;

  /** How the answer was graded; null if it was not, or if the dataset has one rule only. */
  @Column({ type: 'jsonb', nullable: true })
  grading: Grading | null;

  @Column({ type: 'int' })
  turns: number;

  /** Tool name per turn; `none` for an unreadable plan. */
  @Column({ type: 'jsonb' })
  tools: string[];

  @Column({ type: 'jsonb' })
  memory: MemoryEntry[];

  /** Null if no policy of a run planned. */
  @Column({ name: 'policy_name', type: 'text', nullable: true })
  policyName: string | null;

  @Column({ name: 'policy_sha256', type: 'text', nullable: true })
  policySha256: string | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
