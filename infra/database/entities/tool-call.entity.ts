import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/**
 * The call of a tool that may not be repeated, written before it is made: an attempt that finds another's row makes no
 * second call (I15). It is removed only if it is known that the call was not made.
 */
@Entity('tool_calls')
export class ToolCall {
  @PrimaryColumn({ name: 'flow_id', type: 'text', collation: 'C' })
  flowId: string;

  @PrimaryColumn({ type: 'int' })
  turn: number;

  /** Registered name. */
  @Column({ type: 'text' })
  tool: string;

  /** Of the attempt that made the call. */
  @Column({ type: 'text' })
  attempt: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
