import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';
import type { ModelCall } from '../../../contracts/model-call.js';

/** What one agent module did in one turn. Write-once: insert or do nothing (I3). */
@Entity('turns')
export class Turn {
  @PrimaryColumn({ name: 'flow_id', type: 'text', collation: 'C' })
  flowId: string;

  /** From 1. Query analysis and answer generation stand at turn 0. The judge numbers its calls from 0. */
  @PrimaryColumn({ type: 'int' })
  turn: number;

  /**
   * The activity's agent module: planner, executor, …; `generator.final` and `generator.base` for those outputs;
   * `judge`.
   */
  @PrimaryColumn({ type: 'text' })
  module: string;

  /** The activity's result, returned again to every later attempt. */
  @Column({ type: 'jsonb' })
  output: unknown;

  @Column({ name: 'policy_name', type: 'text', nullable: true })
  policyName: string | null;

  @Column({ name: 'policy_sha256', type: 'text', nullable: true })
  policySha256: string | null;

  /** int32, little-endian. */
  @Column({ name: 'prompt_token_ids', type: 'bytea', nullable: true })
  promptTokenIds: Buffer | null;

  /** int32, little-endian; the end token included (I1). */
  @Column({ name: 'response_token_ids', type: 'bytea', nullable: true })
  responseTokenIds: Buffer | null;

  /** float32, little-endian; one per response token, at the sampling temperature (I7). */
  @Column({ type: 'bytea', nullable: true })
  logprobs: Buffer | null;

  @Column({ type: 'double precision', nullable: true })
  temperature: number | null;

  /** Unsigned 64-bit integer in decimal. */
  @Column({ type: 'text', nullable: true })
  seed: string | null;

  /** The messages that were sent to the engine. */
  @Column({ type: 'jsonb', nullable: true })
  prompt: unknown;

  /** sha256 of the template that the prompt was made from. */
  @Column({ type: 'text', nullable: true })
  template: string | null;

  /** Calls of language models that were made for the output, including those of tools. */
  @Column({ type: 'jsonb', nullable: true })
  calls: ModelCall[] | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
