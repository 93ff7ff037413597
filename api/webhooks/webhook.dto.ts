import { z } from 'zod';
import { PROJECT_EVENT_TYPES } from '../../contracts/events.js';
import type { Webhook } from '../../infra/database/entities/index.js';
import { listSchema } from '../common/list.dto.js';

const LONGEST_URL = 2_048;
const LARGEST_PORT = 65_535;
const LONGEST_DESCRIPTION = 200;

const url = z
  .url({
    protocol: /^https?$/,
    error: ({ code, input }) => (code === 'invalid_format' ? faultOf(String(input)) : undefined),
  })
  .max(LONGEST_URL)
  .describe('Where events are posted. Redirects are not followed.');
const description = z.string().max(LONGEST_DESCRIPTION).describe('For people.');
const events = z
  .array(z.enum(PROJECT_EVENT_TYPES))
  .min(1)
  .refine((listed) => new Set(listed).size === listed.length, 'lists a type twice')
  .nullable()
  .describe('The types of event that are sent, as `GET /v1/events` names them. Null for all.');
const status = z.enum(['enabled', 'disabled']);

/** What keeps a text from being an address. */
function faultOf(text: string): string {
  const [, port] = /^https?:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/i.exec(text) ?? [];
  if (Number(port) > LARGEST_PORT) return `has the port ${port}: the largest is ${LARGEST_PORT}`;
  return 'must be an http:// or https:// address, as in https://example.org/hook';
}

export const newWebhookSchema = z
  .strictObject({ url, description: description.default(''), events: events.default(null) })
  .meta({ examples: [{ url: 'https://example.org/agentflow', events: ['run.completed', 'run.failed'] }] });
export type NewWebhookBody = z.infer<typeof newWebhookSchema>;

export const webhookChangeSchema = z
  .strictObject({
    url: url.optional(),
    description: description.optional(),
    events: events.optional(),
    status: status
      .optional()
      .describe('What happens while it is disabled is not sent, also not later; deliveries that are pending fail.'),
  })
  .meta({ examples: [{ status: 'enabled' }] });
export type WebhookChangeBody = z.infer<typeof webhookChangeSchema>;

export const webhookSchema = z.object({
  id: z.string(),
  object: z.literal('webhook'),
  url: z.string(),
  description: z.string(),
  events: z.array(z.string()).nullable(),
  status,
  disabled_reason: z.string().nullable(),
  created_at: z.iso.datetime(),
});
export type WebhookDto = z.infer<typeof webhookSchema>;

export const createdWebhookSchema = webhookSchema.extend({
  secret: z
    .string()
    .nullable()
    .describe(
      'What signatures are verified with, in this answer alone. Null if an earlier request with the same Idempotency-Key was told it.',
    ),
});
export type CreatedWebhookDto = z.infer<typeof createdWebhookSchema>;

export const webhookListSchema = listSchema('Webhook', webhookSchema);

export function toWebhookDto(webhook: Webhook): WebhookDto {
  return {
    id: webhook.id,
    object: 'webhook',
    url: webhook.url,
    description: webhook.description,
    events: webhook.events,
    status: webhook.status,
    disabled_reason: webhook.disabledReason,
    created_at: webhook.createdAt.toISOString(),
  };
}
