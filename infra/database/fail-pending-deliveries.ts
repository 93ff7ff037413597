import type { EntityManager } from 'typeorm';
import { WebhookDelivery } from './entities/index.js';

/** Why nothing is sent to a webhook any more. */
export const WEBHOOK_DISABLED = 'the webhook is disabled';

/** What a webhook has not taken when it is disabled, in the transaction that does it: its row is locked before its deliveries'. */
export async function failPendingDeliveries(manager: EntityManager, webhook: string): Promise<void> {
  const failed = { status: 'failed', nextAttemptAt: null, error: WEBHOOK_DISABLED } as const;
  await manager.update(WebhookDelivery, { webhook, status: 'pending' }, failed);
}
