import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/** The frozen batch of a step (I4): one Arrow file in the artifact store. */
@Entity('batches')
export class Batch {
  @PrimaryColumn({ name: 'run_id', type: 'text' })
  runId: string;

  @PrimaryColumn({ type: 'int' })
  step: number;

  /** One more for each decision about the step: the committed policy names the batch that it was made from. */
  @PrimaryColumn({ type: 'int', default: 0 })
  revision: number;

  @Column({ type: 'text' })
  uri: string;

  @Column({ type: 'text' })
  sha256: string;

  @Column({ type: 'int' })
  samples: number;

  @Column({ type: 'bigint', transformer: bigintTransformer })
  bytes: number;

  /** The policy that sampled every row: step - 1's. */
  @Column({ name: 'policy_sha256', type: 'text' })
  policySha256: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
