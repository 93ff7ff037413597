import { Column, CreateDateColumn, Entity, Generated, Index, PrimaryColumn, Unique } from 'typeorm';
import type { DeliveredType, DeliveryStatus } from '../../../contracts/webhooks.js';
import { bigintTransformer } from '../bigint.transformer.js';

/**
 * An event that a webhook is told of, and what came of it. The trigger `deliver_to_webhooks` writes the row in the
 * transaction that tells of the event. It goes with the webhook, and with the event's subject as the event itself does.
 */
@Entity('webhook_deliveries')
@Unique('webhook_deliveries_number', ['number'])
@Unique('webhook_deliveries_event', ['webhook', 'sequence'])
@Index('webhook_deliveries_webhook_number', ['webhook', 'number'])
@Index('webhook_deliveries_due', ['dueAt'], { where: "status = 'pending'" })
export class WebhookDelivery {
  /** Also the `webhook-id` of every attempt, replays too: a receiver knows by it what it has taken already. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  project: string;

  @Column({ type: 'text' })
  webhook: string;

  /** The event's in its project; null for a test. */
  @Column({ type: 'bigint', transformer: bigintTransformer, nullable: true })
  sequence: number | null;

  @Column({ type: 'text' })
  type: DeliveredType;

  @Index('webhook_deliveries_subject')
  @Column({ type: 'text' })
  subject: string;

  @Column({ type: 'jsonb' })
  data: Record<string, unknown>;

  /** When the event happened. */
  @Column({ name: 'occurred_at', type: 'timestamptz' })
  occurredAt: Date;

  @Column({ type: 'text' })
  status: DeliveryStatus;

  /** How often somebody has had it sent again. */
  @Column({ type: 'int', default: 0 })
  replays: number;

  /** Since it was created, or replayed last. */
  @Column({ type: 'int', default: 0 })
  attempts: number;

  @Column({ name: 'attempted_at', type: 'timestamptz', nullable: true })
  attemptedAt: Date | null;

  /** Null if none follows, and while one is under way or about to begin: a replay does not come between. */
  @Column({ name: 'next_attempt_at', type: 'timestamptz', nullable: true })
  nextAttemptAt: Date | null;

  /** HTTP status of the last attempt. Null, like the next two, if there was none. */
  @Column({ name: 'response_status', type: 'int', nullable: true })
  responseStatus: number | null;

  /** How the last answer's body begins, without credentials. */
  @Column({ type: 'text', nullable: true })
  response: string | null;

  /** Why it is not taken: the last attempt failed, or the webhook is disabled. */
  @Column({ type: 'text', nullable: true })
  error: string | null;

  /** When the API sees to it that a workflow works on it, for the first time or again. */
  @Column({ name: 'due_at', type: 'timestamptz', default: () => 'now()' })
  dueAt: Date;

  /** Ascending in the order of creation. */
  @Column({ type: 'bigint', transformer: bigintTransformer })
  @Generated('increment')
  number: number;

  @Index('webhook_deliveries_created_at')
  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
