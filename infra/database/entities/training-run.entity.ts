import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';
import type { RunFailure, RunStatus } from '../../../workflows/contracts/agent-activities.js';
import type { RunConfig } from '../../../workflows/contracts/run-config.js';
import { bigintTransformer } from '../bigint.transformer.js';

/**
 * One training run. After its creation it is written by writeRunStatus() alone, but for `step` and `policy*`, which the
 * record of a step moves on.
 */
@Entity('training_runs')
@Index('training_runs_project_created', ['project', 'createdAt', 'id'])
export class TrainingRun {
  /** `run-` and ten base32 characters; also the id of the Temporal workflow. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  project: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  status: RunStatus;

  /** Supplied by the workflow, ascending; 0 is the API's `queued`. */
  @Column({ name: 'status_version', type: 'int', default: 0 })
  statusVersion: number;

  /** Complete: every default filled in. */
  @Column({ type: 'jsonb' })
  config: RunConfig;

  /** Of the canonical JSON of `config`: two runs with equal configurations have equal digests. */
  @Column({ name: 'config_sha256', type: 'text' })
  configSha256: string;

  /** Steps asked for: the configuration's, or what an extension made of it. */
  @Column({ type: 'int' })
  steps: number;

  /** The last committed step. */
  @Column({ type: 'int', default: 0 })
  step: number;

  @Column({ name: 'policy_name', type: 'text', nullable: true })
  policyName: string | null;

  @Column({ name: 'policy_sha256', type: 'text', nullable: true })
  policySha256: string | null;

  @Column({ type: 'jsonb', nullable: true })
  failure: RunFailure | null;

  /** Sequence of the newest run event; the row's lock orders the writers. */
  @Column({ name: 'event_sequence', type: 'bigint', default: 0, transformer: bigintTransformer })
  eventSequence: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt: Date | null;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}
