import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/** A whole checkpoint in the artifact store (I8). */
@Entity('checkpoints')
export class Checkpoint {
  @PrimaryColumn({ name: 'run_id', type: 'text' })
  runId: string;

  @PrimaryColumn({ type: 'int' })
  step: number;

  @Column({ type: 'text' })
  uri: string;

  /** Of the policy's tensors. */
  @Column({ type: 'text' })
  sha256: string;

  @Column({ type: 'bigint', transformer: bigintTransformer })
  bytes: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** When the trainer worker deleted the files to keep within `checkpoint.keep`. */
  @Column({ name: 'removed_at', type: 'timestamptz', nullable: true })
  removedAt: Date | null;
}
