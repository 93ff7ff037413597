import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** The `Idempotency-Key` of a creation and the body it came with. */
@Entity('idempotency_keys')
export class IdempotencyKey {
  @PrimaryColumn({ type: 'text' })
  project: string;

  @PrimaryColumn({ type: 'text' })
  key: string;

  /** Of the canonical JSON of the body as it was sent. */
  @Column({ name: 'body_sha256', type: 'text' })
  bodySha256: string;

  @Column({ name: 'run_id', type: 'text' })
  runId: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
