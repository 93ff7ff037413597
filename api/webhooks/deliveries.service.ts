import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, Not, type EntityManager } from 'typeorm';
import { TEST_EVENT } from '../../contracts/webhooks.js';
import { WebhookDelivery, type Webhook } from '../../infra/database/entities/index.js';
import { EVENT_CHANNEL, WEBHOOKS_TOPIC } from '../../infra/database/event-channel.js';
import { conflict, notFound } from '../common/api-error.js';
import { toList, type List } from '../common/list.dto.js';
import { numberedPage } from '../common/numbered-page.js';
import { toDeliveryDto, type DeliveriesQuery, type DeliveryDto } from './delivery.dto.js';
import { findWebhook } from './webhooks.service.js';

/** The log of what webhooks were told. */
@Injectable()
export class DeliveriesService {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest first. @throws ApiError 404 if there is no such webhook */
  async list(project: string, webhook: string, { status, ...page }: DeliveriesQuery): Promise<List<DeliveryDto>> {
    await findWebhook(this.dataSource.manager, project, webhook);
    const deliveries = this.dataSource.getRepository(WebhookDelivery);
    const where = { webhook, ...(status !== undefined && { status }) };
    const find = (id: string) => deliveries.findOneBy({ webhook, id });
    const listed = { where, order: 'DESC', noun: 'delivery of this webhook', find } as const;
    return toList(await numberedPage(deliveries, listed, page), page.limit, ({ id }) => id, toDeliveryDto);
  }

  /** @throws ApiError 404, also if it is another project's */
  async get(project: string, id: string): Promise<DeliveryDto> {
    return toDeliveryDto(await findDelivery(this.dataSource.manager, project, id));
  }

  /** Sends an event that says nothing. @throws ApiError 404; 409 if the webhook is disabled */
  async test(project: string, webhookId: string): Promise<DeliveryDto> {
    const id = `delivery-${randomBytes(16).toString('hex')}`;
    await this.dataSource.transaction(async (manager) => {
      const { id: webhook } = await findEnabled(manager, project, webhookId);
      const event = { type: TEST_EVENT, subject: webhook, data: {}, occurredAt: new Date() } as const;
      await manager.insert(WebhookDelivery, { id, project, webhook, status: 'pending', ...event });
      await wake(manager);
    });
    return this.get(project, id);
  }

  /**
   * Sends it now, under the id and with the body that it has: again if it is over, else without the wait for its next attempt.
   * The workflow that waits finds another one in its place. While an attempt is under way there is no other.
   * @throws ApiError 404; 409 if it is being sent, or its webhook disabled
   */
  async replay(project: string, id: string): Promise<DeliveryDto> {
    await this.dataSource.transaction(async (manager) => {
      const { webhook } = await findDelivery(manager, project, id);
      await findEnabled(manager, project, webhook);
      const { affected } = await manager.update(
        WebhookDelivery,
        [
          { id, status: Not('pending') },
          { id, nextAttemptAt: Not(IsNull()) },
        ],
        { status: 'pending', replays: () => 'replays + 1', attempts: 0, nextAttemptAt: null, dueAt: () => 'now()' },
      );
      if (affected === 0) throw beingSent(id);
      await wake(manager);
    });
    return this.get(project, id);
  }
}

async function findDelivery(manager: EntityManager, project: string, id: string): Promise<WebhookDelivery> {
  const delivery = await manager.findOneBy(WebhookDelivery, { id, project });
  if (!delivery) throw notFound('delivery_not_found', `There is no delivery "${id}".`, { param: 'id' });
  return delivery;
}

/** Until the transaction ends, the webhook is not deleted: no delivery outlives it. */
async function findEnabled(manager: EntityManager, project: string, id: string): Promise<Webhook> {
  const webhook = await findWebhook(manager, project, id, { mode: 'for_key_share' });
  if (webhook.status === 'enabled') return webhook;
  const message = `${id} is disabled (${webhook.disabledReason}): nothing is sent to it. Enable it first.`;
  throw conflict('webhook_disabled', message, { param: 'id' });
}

function beingSent(id: string): Error {
  return conflict('delivery_pending', `${id} is being sent: wait for what comes of it.`, { param: 'id' });
}

/** Tells the API processes, once this is committed. */
async function wake(manager: EntityManager): Promise<void> {
  await manager.query('SELECT pg_notify($1, $2)', [EVENT_CHANNEL, WEBHOOKS_TOPIC]);
}
