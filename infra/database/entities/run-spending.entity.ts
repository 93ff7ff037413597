import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/** What a run has spent on language models of providers. It grows in the transaction that writes a turn's row. */
@Entity('run_spending')
export class RunSpending {
  @PrimaryColumn({ name: 'run_id', type: 'text' })
  runId: string;

  @Column({ type: 'int' })
  calls: number;

  /** Prompt and reply together. */
  @Column({ type: 'bigint', transformer: bigintTransformer })
  tokens: number;

  /** In the unit of the operator's prices. */
  @Column({ type: 'double precision' })
  money: number;
}
