import { Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/**
 * What a submission (a run, a flow that someone asked for, an evaluation) has spent on language models of providers. A
 * call is counted before it is sent. The cost of its reply is added in the transaction that keeps the reply.
 */
@Entity('run_spending')
export class Spending {
  @PrimaryColumn({ name: 'run_id', type: 'text' })
  submissionId: string;

  /** Including those that were sent and failed. */
  @Column({ type: 'int' })
  calls: number;

  /** Prompt and reply together. */
  @Column({ type: 'bigint', transformer: bigintTransformer })
  tokens: number;

  /** In the unit of the operator's prices. */
  @Column({ type: 'double precision' })
  money: number;
}
