import { Column, CreateDateColumn, Entity, Generated, Index, PrimaryColumn, Unique } from 'typeorm';
import type { ProjectEventType } from '../../../contracts/events.js';
import { bigintTransformer } from '../bigint.transformer.js';

/** Where a project wants to be told of its events. */
@Entity('webhooks')
@Unique('webhooks_number', ['number'])
@Index('webhooks_project_number', ['project', 'number'])
export class Webhook {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  project: string;

  @Column({ type: 'text' })
  url: string;

  /** For people. */
  @Column({ type: 'text' })
  description: string;

  /** The types of event that are sent; null for all. */
  @Column({ type: 'jsonb', nullable: true })
  events: ProjectEventType[] | null;

  @Column({ type: 'text' })
  status: 'enabled' | 'disabled';

  /** Why it is disabled. */
  @Column({ name: 'disabled_reason', type: 'text', nullable: true })
  disabledReason: string | null;

  /** What deliveries are signed with, as it was shown: `whsec_…`. Only who names the column reads it. */
  @Column({ type: 'text', select: false })
  secret: string;

  /** Ascending in the order of creation. */
  @Column({ type: 'bigint', transformer: bigintTransformer })
  @Generated('increment')
  number: number;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
