import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * A tool as the agent worker that started last knows it, user tools and those of MCP servers among them: the API opens
 * none itself. What the operator's file no longer names stays, and is not shown.
 */
@Entity('tool_descriptions')
export class ToolDescription {
  /** Registered name. */
  @PrimaryColumn({ type: 'text' })
  name: string;

  /** What planners read and write. */
  @Column({ type: 'text' })
  title: string;

  @Column({ type: 'text' })
  description: string;

  /** JSON schema of its arguments. */
  @Column({ name: 'input_schema', type: 'jsonb' })
  inputSchema: Record<string, unknown>;

  /** Whether it may ask a language model. */
  @Column({ name: 'asks_model', type: 'boolean' })
  asksModel: boolean;

  /** Whether a call may be made again if it is not known what became of the first. */
  @Column({ type: 'boolean' })
  repeatable: boolean;

  /** When a worker last told something else of it. */
  @Column({ name: 'changed_at', type: 'timestamptz' })
  changedAt: Date;
}
