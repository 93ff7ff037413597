import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Webhook, WebhookDelivery } from '../entities/index.js';

/** A webhook of a test. @returns its id and its secret */
export async function addWebhook(
  dataSource: DataSource,
  row: Partial<Webhook> & Pick<Webhook, 'url'>,
): Promise<{ id: string; secret: string }> {
  const id = `webhook-${randomBytes(8).toString('hex')}`;
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  await dataSource
    .getRepository(Webhook)
    .insert({ id, project: 'default', description: '', events: null, status: 'enabled', secret, ...row });
  return { id, secret };
}

/** A delivery that is pending. @returns its id */
export async function addDelivery(
  dataSource: DataSource,
  row: Partial<WebhookDelivery> & Pick<WebhookDelivery, 'webhook'>,
): Promise<string> {
  const id = `delivery-${randomBytes(16).toString('hex')}`;
  const event = {
    type: 'run.completed',
    subject: 'run-a',
    data: { status: 'completed' },
    occurredAt: new Date(),
  } as const;
  await dataSource
    .getRepository(WebhookDelivery)
    .insert({ id, project: 'default', status: 'pending', ...event, ...(row as object) });
  return id;
}
