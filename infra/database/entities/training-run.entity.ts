import { Column, Entity, Index } from 'typeorm';
import type { RunConfig } from '../../../contracts/run-config.js';
import type { RunStatus, TrainingRunState } from '../../../contracts/training-run.js';
import { bigintTransformer } from '../bigint.transformer.js';
import { Submission } from './submission.entity.js';

/** One training run, `run-…`. The record of a step moves `step`, `policy*` and `state` on too. */
@Entity('training_runs')
@Index('training_runs_project_number', ['project', 'number'])
@Index('training_runs_project_status', ['project', 'status', 'number'])
@Index('training_runs_project_created_at', ['project', 'createdAt'])
@Index('training_runs_queue', ['project', 'place'], { where: 'finished_at IS NULL' })
/** Made by the migration RunFilters, because TypeORM does not know indices on expressions. */
@Index('training_runs_project_model', { synchronize: false })
@Index('training_runs_project_dataset', { synchronize: false })
export class TrainingRun extends Submission<RunStatus> {
  /**
   * In the queue of its project, ascending: given by the database when the run is queued, and anew when it is queued
   * again, so that a revived run passes nobody who waits.
   */
  @Column({ type: 'bigint', transformer: bigintTransformer, insert: false, update: false })
  place?: number;

  @Column({ type: 'text' })
  name: string;

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

  /** Sequence of the newest run event; the row's lock orders the writers. */
  @Column({ name: 'event_sequence', type: 'bigint', default: 0, transformer: bigintTransformer })
  eventSequence: number;

  /** The state that its workflow wrote last. A later workflow goes on from it. Null until the first one has begun. */
  @Column({ type: 'jsonb', nullable: true })
  state: TrainingRunState | null;
}
