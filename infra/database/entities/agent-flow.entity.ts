import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';
import type { RunFailure } from '../../../workflows/contracts/agent-activities.js';
import type { FlowStatus } from '../../../workflows/contracts/asked-flow.js';
import type { AgentFlowResult, ImageRef, Query } from '../../../workflows/contracts/flow.js';
import type { FlowConfig } from '../../../workflows/contracts/flow-config.js';
import { bigintTransformer } from '../bigint.transformer.js';

/** An agent flow that someone asked for. After its creation it is written by writeFlowStatus() alone. */
@Entity('agent_flows')
@Index('agent_flows_project_created', ['project', 'createdAt', 'id'])
/** Few of many: what is to be started, and whose policies are to be kept, is asked all the time. */
@Index('agent_flows_unfinished', ['createdAt'], { where: 'finished_at IS NULL' })
export class AgentFlow {
  /** `flow-` and ten base32 characters; also the id of the Temporal workflow and of the flow's turns. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  project: string;

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

  /** Null where the planner takes its likeliest words. */
  @Column({ type: 'bigint', nullable: true, transformer: bigintTransformer })
  seed: number | null;

  /** Resolved when the flow was created (I11); null where no policy of a run plans. */
  @Column({ name: 'policy_name', type: 'text', nullable: true })
  policyName: string | null;

  @Column({ name: 'policy_sha256', type: 'text', nullable: true })
  policySha256: string | null;

  @Column({ type: 'text' })
  status: FlowStatus;

  /** Supplied by the workflow, ascending; 0 is the API's `queued`. */
  @Column({ name: 'status_version', type: 'int', default: 0 })
  statusVersion: number;

  @Column({ type: 'jsonb', nullable: true })
  result: AgentFlowResult | null;

  @Column({ type: 'jsonb', nullable: true })
  failure: RunFailure | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'started_at', type: 'timestamptz', nullable: true })
  startedAt: Date | null;

  /** While it is paused. */
  @Column({ name: 'paused_at', type: 'timestamptz', nullable: true })
  pausedAt: Date | null;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;
}
