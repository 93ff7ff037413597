import { Column, CreateDateColumn, Entity, PrimaryColumn, Unique } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/** An entry of a training run's event stream; written by appendEvent() only. */
@Entity('run_events')
@Unique('run_events_run_key', ['runId', 'eventKey'])
export class RunEvent {
  @PrimaryColumn({ name: 'run_id', type: 'text' })
  runId: string;

  /** From 1, without gaps, in the order of the commits. */
  @PrimaryColumn({ type: 'bigint', transformer: bigintTransformer })
  sequence: number;

  /** Deterministic, so that a retried writer adds nothing. */
  @Column({ name: 'event_key', type: 'text' })
  eventKey: string;

  @Column({ type: 'text' })
  type: string;

  @Column({ type: 'jsonb' })
  data: Record<string, unknown>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
