import { Column, Entity, Index } from 'typeorm';
import type { FlowStatus } from '../../../contracts/submitted-flow.js';
import type { AgentFlowResult, ImageRef, Query } from '../../../contracts/flow.js';
import type { FlowConfig } from '../../../contracts/flow-config.js';
import { bigintTransformer } from '../bigint.transformer.js';
import { Submission } from './submission.entity.js';

/** An agent flow that someone asked for. Its id, `flow-…`, is also that of its turns. */
@Entity('agent_flows')
@Index('agent_flows_project_number', ['project', 'number'])
/** Few of many rows, read all the time: which flows are to be started, and whose policies are to be kept. */
@Index('agent_flows_unfinished', ['number'], { where: 'finished_at IS NULL' })
/** Made by the migration UnusedImages, because TypeORM does not know its operators. */
@Index('agent_flows_images', { synchronize: false })
export class AgentFlow extends Submission<FlowStatus> {
  @Column({ type: 'text' })
  question: string;

  /** In the artifact store. */
  @Column({ type: 'jsonb' })
  images: ImageRef[];

  /** Whose texts the tools search. */
  @Column({ type: 'jsonb' })
  dataset: Query['dataset'];

  /** Registered name of the model whose base weights serve what is bound to `policy`. */
  @Column({ type: 'text' })
  model: string;

  /** Complete: every default filled in. */
  @Column({ type: 'jsonb' })
  config: FlowConfig;

  /** Null if the planner takes its likeliest words. */
  @Column({ type: 'bigint', nullable: true, transformer: bigintTransformer })
  seed: number | null;

  /** Resolved when the flow was created (I11); null if no policy of a run plans. */
  @Column({ name: 'policy_name', type: 'text', nullable: true })
  policyName: string | null;

  @Column({ name: 'policy_sha256', type: 'text', nullable: true })
  policySha256: string | null;

  @Column({ type: 'jsonb', nullable: true })
  result: AgentFlowResult | null;

  /** How often `config.budget` was granted. */
  @Column({ type: 'int', default: 1 })
  budgets: number;

  /** How many workflows have worked on it: one, and one more each time it was revived. */
  @Column({ type: 'int', default: 1 })
  lives: number;

  /**
   * `turn/module` of each turn's row that was there when the flow ended: no stream holds what a lost attempt writes
   * afterwards. Null while it has not ended, and for flows of older versions.
   */
  @Column({ name: 'turns_at_end', type: 'jsonb', nullable: true })
  turnsAtEnd: string[] | null;

  /** While it is paused. */
  @Column({ name: 'paused_at', type: 'timestamptz', nullable: true })
  pausedAt: Date | null;
}
