import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/**
 * An entry of a project's event stream; written by triggers only, in the transaction that it tells of (the migration
 * ProjectEvents1796148300000). It goes when its subject is deleted, except the event that tells of the deletion.
 */
@Entity('project_events')
export class ProjectEvent {
  @PrimaryColumn({ type: 'text' })
  project: string;

  /** Ascending from 1, in the order of the commits; those of what was deleted are missing. */
  @PrimaryColumn({ type: 'bigint', transformer: bigintTransformer })
  sequence: number;

  @Column({ type: 'text' })
  type: string;

  /** The run, flow, evaluation or webhook that it tells of. */
  @Index('project_events_subject')
  @Column({ type: 'text' })
  subject: string;

  @Column({ type: 'jsonb' })
  data: Record<string, unknown>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
