import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** The commit row of a step (I4), inserted once by the trainer worker. Step 0 is the untrained start. */
@Entity('policies')
export class Policy {
  @PrimaryColumn({ name: 'run_id', type: 'text' })
  runId: string;

  @PrimaryColumn({ type: 'int' })
  step: number;

  @Column({ type: 'text' })
  uri: string;

  @Column({ type: 'text' })
  sha256: string;

  @Column({ name: 'parent_sha256', type: 'text', nullable: true })
  parentSha256: string | null;

  @Column({ name: 'batch_sha256', type: 'text', nullable: true })
  batchSha256: string | null;

  @Column({ type: 'jsonb' })
  metrics: Record<string, unknown>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
