import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/**
 * A reply of a language model, written when it arrives and before anything depends on it (I15): a retry of what follows
 * in the same activity finds it here. Write-once. The prompt is in the turn's row.
 */
@Entity('model_replies')
export class ModelReply {
  /** The row of the turn that it was asked for: flow, turn and module of `turns`. */
  @PrimaryColumn({ name: 'flow_id', type: 'text', collation: 'C' })
  flowId: string;

  @PrimaryColumn({ type: 'int' })
  turn: number;

  @PrimaryColumn({ type: 'text' })
  module: string;

  /** Of everything that was asked. */
  @PrimaryColumn({ name: 'request_sha256', type: 'text' })
  requestSha256: string;

  /** From 0: an activity may ask the same more than once. */
  @PrimaryColumn({ type: 'int' })
  occurrence: number;

  /** Of the attempt that asked. */
  @Column({ type: 'text' })
  attempt: string;

  @Column({ type: 'jsonb' })
  reply: unknown;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
