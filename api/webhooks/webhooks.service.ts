import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, type FindOneOptions } from 'typeorm';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import {
  IdempotencyKey,
  Project,
  ProjectEvent,
  Webhook,
  WebhookDelivery,
} from '../../infra/database/entities/index.js';
import { failPendingDeliveries } from '../../infra/database/fail-pending-deliveries.js';
import { AddressRules } from '../../infra/http/addresses.js';
import { guardedUrl, UrlRefused } from '../../infra/http/guarded-url.js';
import { badRequest, conflict, notFound } from '../common/api-error.js';
import { toList, type IdPageQuery, type List } from '../common/list.dto.js';
import { numberedPage } from '../common/numbered-page.js';
import { OPERATOR } from '../dependencies.module.js';
import { createOnce, readIdempotency } from '../submissions/idempotency.js';
import {
  toWebhookDto,
  type CreatedWebhookDto,
  type NewWebhookBody,
  type WebhookChangeBody,
  type WebhookDto,
} from './webhook.dto.js';

/** Of one project: each event of it is a row for each of them. */
const MOST = 20;
const PERMITTED_BESIDES = "The operator's file says what else may be reached (webhooks.addresses).";
/** Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;

/** Where a project wants to be told of its events. */
@Injectable()
export class WebhooksService {
  private readonly addresses: AddressRules;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(OPERATOR) operator: OperatorFile,
  ) {
    this.addresses = new AddressRules(operator.webhooks.addresses);
  }

  /** @throws ApiError 400 if nothing may be sent to the address; 409 if the project has many webhooks already */
  async create(
    project: string,
    body: NewWebhookBody,
    idempotencyKey?: string,
  ): Promise<{ dto: CreatedWebhookDto; created: boolean }> {
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
    const id = `webhook-${randomBytes(8).toString('hex')}`;
    const row = { id, project, secret, status: 'enabled' as const, ...body, url: this.permitted(body.url) };
    const idempotency = readIdempotency(idempotencyKey, { webhook: body });
    const earlier = await createOnce(this.dataSource, row, idempotency, async (manager) => {
      await refuseMany(manager, project);
      await manager.insert(Webhook, row);
    });
    const dto = await this.get(project, earlier ?? id);
    return { dto: { ...dto, secret: earlier === undefined ? secret : null }, created: earlier === undefined };
  }

  /** Newest first. */
  async list(project: string, query: IdPageQuery): Promise<List<WebhookDto>> {
    const webhooks = this.dataSource.getRepository(Webhook);
    const find = (id: string) => webhooks.findOneBy({ id, project });
    const listed = { where: { project }, order: 'DESC', noun: 'webhook', find } as const;
    return toList(await numberedPage(webhooks, listed, query), query.limit, ({ id }) => id, toWebhookDto);
  }

  /** @throws ApiError 404, also if it is another project's */
  async get(project: string, id: string): Promise<WebhookDto> {
    return toWebhookDto(await findWebhook(this.dataSource.manager, project, id));
  }

  /** Of one that is disabled, what is pending fails. @throws ApiError 404; 400 as create() */
  async change(project: string, id: string, { status, url, ...rest }: WebhookChangeBody): Promise<WebhookDto> {
    await this.dataSource.transaction(async (manager) => {
      const { status: before } = await findWebhook(manager, project, id, { mode: 'for_no_key_update' });
      const change = {
        ...rest,
        ...(url !== undefined && { url: this.permitted(url) }),
        ...(status === 'enabled' && { status, disabledReason: null }),
        ...(status === 'disabled' &&
          before === 'enabled' && { status, disabledReason: 'it was disabled over the API' }),
      };
      if (Object.keys(change).length > 0) await manager.update(Webhook, { id, project }, change);
      if (status === 'disabled') await failPendingDeliveries(manager, id);
    });
    return this.get(project, id);
  }

  /**
   * Deletes it with its deliveries: workflows that find theirs gone end.
   * @throws ApiError 404
   */
  async remove(project: string, id: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await findWebhook(manager, project, id);
      await manager.delete(Webhook, { id, project });
      await manager.delete(WebhookDelivery, { webhook: id });
      await manager.delete(ProjectEvent, { subject: id });
      await manager.delete(IdempotencyKey, { project, submissionId: id });
    });
  }

  private permitted(text: string): string {
    try {
      return guardedUrl(text, this.addresses).href;
    } catch (error) {
      if (!(error instanceof UrlRefused)) throw error;
      const further = error.kind === 'not_public' ? ` ${PERMITTED_BESIDES}` : '';
      throw badRequest('url_refused', `url: ${error.message}.${further}`, { param: 'url' });
    }
  }
}

/** @throws ApiError 404, also if it is another project's */
export async function findWebhook(
  manager: EntityManager,
  project: string,
  id: string,
  lock?: FindOneOptions['lock'],
): Promise<Webhook> {
  const webhook = await manager.findOne(Webhook, { where: { id, project }, lock });
  if (!webhook) throw notFound('webhook_not_found', `There is no webhook "${id}".`, { param: 'id' });
  return webhook;
}

/** Until the transaction ends, no other request adds one: the project's row is locked. @throws ApiError 409 */
async function refuseMany(manager: EntityManager, project: string): Promise<void> {
  await manager.findOneOrFail(Project, { where: { id: project }, lock: { mode: 'for_no_key_update' } });
  if ((await manager.countBy(Webhook, { project })) < MOST) return;
  throw conflict('too_many_webhooks', `The project "${project}" has ${MOST} webhooks: delete one first.`);
}
