import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** The `Idempotency-Key` of a creation and the body it came with. */
@Entity('idempotency_keys')
/** A request that is sent again without a key is found by its body. */
@Index('idempotency_keys_body', ['project', 'bodySha256'])
export class IdempotencyKey {
  @PrimaryColumn({ type: 'text' })
  project: string;

  @PrimaryColumn({ type: 'text' })
  key: string;

  /** Of the canonical JSON of the body as it was sent. */
  @Column({ name: 'body_sha256', type: 'text' })
  bodySha256: string;

  /** Of what the creation made: a run, a question or an evaluation. */
  @Column({ name: 'run_id', type: 'text' })
  submissionId: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
