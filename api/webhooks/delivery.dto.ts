import { z } from 'zod';
import { DELIVERY_STATUSES } from '../../contracts/webhooks.js';
import type { WebhookDelivery } from '../../infra/database/entities/index.js';
import { idPageQuery, listSchema } from '../common/list.dto.js';

const status = z.enum(DELIVERY_STATUSES);

export const deliverySchema = z.object({
  id: z.string().describe('Also the header `webhook-id` of every attempt.'),
  object: z.literal('webhook_delivery'),
  webhook: z.string(),
  sequence: z.int().nullable().describe('Of the event, in its project. Null for a test.'),
  type: z.string(),
  subject: z.string().describe('What the event tells of; of a test, the webhook.'),
  status: status.describe('`pending`: attempts follow. `failed`: there is no attempt left.'),
  replays: z.int().describe('How often it was sent again on request.'),
  attempts: z.int().describe('Since it was created, or replayed last.'),
  attempted_at: z.iso.datetime().nullable(),
  next_attempt_at: z.iso.datetime().nullable().describe('Null if none follows, or one is under way.'),
  response_status: z.int().nullable().describe('HTTP status of the last attempt. Null if there was no answer.'),
  response: z.string().nullable().describe('How the body of the last answer begins.'),
  error: z.string().nullable().describe('Why it is not taken: the last attempt failed, or the webhook was disabled.'),
  created_at: z.iso.datetime(),
});
export type DeliveryDto = z.infer<typeof deliverySchema>;

export const deliveryListSchema = listSchema('WebhookDelivery', deliverySchema);

export const deliveriesQuery = idPageQuery.extend({ status: status.optional() });
export type DeliveriesQuery = z.infer<typeof deliveriesQuery>;

export function toDeliveryDto(delivery: WebhookDelivery): DeliveryDto {
  return {
    id: delivery.id,
    object: 'webhook_delivery',
    webhook: delivery.webhook,
    sequence: delivery.sequence,
    type: delivery.type,
    subject: delivery.subject,
    status: delivery.status,
    replays: delivery.replays,
    attempts: delivery.attempts,
    attempted_at: delivery.attemptedAt?.toISOString() ?? null,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    response_status: delivery.responseStatus,
    response: delivery.response,
    error: delivery.error,
    created_at: delivery.createdAt.toISOString(),
  };
}
