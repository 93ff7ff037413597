import { Column, Entity, Generated, Index, PrimaryColumn } from 'typeorm';
import { bigintTransformer } from '../bigint.transformer.js';

/** What is used. `policy` is what other modules than the planner ask of a policy, or of the untrained base. */
export type UsageKind = 'planner' | 'policy' | 'language_model' | 'tool' | 'trainer';

/**
 * One call of a model or a tool, or one training step; written by triggers only, in the transaction that records it (the
 * migration Usage1796158800000). It stays when what it was used for is deleted.
 */
@Entity('usage_entries')
@Index('usage_entries_project_at', ['project', 'at'])
export class UsageEntry {
  /** Ascending in the order of writing. */
  @PrimaryColumn({ type: 'bigint', transformer: bigintTransformer })
  @Generated('increment')
  id: number;

  @Column({ type: 'text' })
  project: string;

  /** The run, the flow that someone asked for, or the evaluation that it was used for. */
  @Column({ type: 'text' })
  submission: string;

  /** When it was recorded. */
  @Column({ type: 'timestamptz' })
  at: Date;

  @Column({ type: 'text' })
  kind: UsageKind;

  /**
   * Of a policy the run that it belongs to, or the base model; of others the registered name. Null of the trainer, and of
   * calls of older versions that do not say.
   */
  @Column({ type: 'text', nullable: true })
  name: string | null;

  /** As the provider counts; null if it does not say. */
  @Column({ name: 'prompt_tokens', type: 'bigint', nullable: true, transformer: bigintTransformer })
  promptTokens: number | null;

  @Column({ name: 'completion_tokens', type: 'bigint', nullable: true, transformer: bigintTransformer })
  completionTokens: number | null;

  /** Of a language model, by the operator's prices of that time; null if it has none. */
  @Column({ type: 'double precision', nullable: true })
  cost: number | null;

  /** Of the trainer. */
  @Column({ type: 'double precision', nullable: true })
  seconds: number | null;
}
