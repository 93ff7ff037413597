import { sleep } from '@temporalio/workflow';
import type { WebhookDeliveryInput } from '../contracts/webhooks.js';
import { webhookCalls } from './calls.js';

/**
 * Tells a webhook of an event: attempts until one is taken, or none is left. When the next one is due is the activity's to say,
 * which writes into the delivery's row what came of each.
 */
export async function webhookDelivery({ id, replay, settings }: WebhookDeliveryInput): Promise<void> {
  const { attemptDelivery } = webhookCalls(settings);
  for (;;) {
    const { nextInMs } = await attemptDelivery({ id, replay });
    if (nextInMs === undefined) return;
    await sleep(nextInMs);
  }
}
