import { cancellationSignal } from '@temporalio/activity';
import { MoreThan, type DataSource, type EntityManager } from 'typeorm';
import type { AttemptDeliveryInput, WebhookActivities } from '../../contracts/webhooks.js';
import { Webhook, WebhookDelivery } from '../../infra/database/entities/index.js';
import { failPendingDeliveries, WEBHOOK_DISABLED } from '../../infra/database/fail-pending-deliveries.js';
import { AddressRules } from '../../infra/http/addresses.js';
import { type Resolve, systemResolve } from '../tools/http/guarded-agent.js';
import { untilWritten } from '../trajectories/until-written.js';
import { OpenSends } from './open-sends.js';
import { delayAfter } from './retry-schedule.js';
import { sendWebhook, type Outcome } from './send-webhook.js';

/** A receiver is to say that it has the event, and to work on it afterwards. */
const TIMEOUT_MS = 15_000;
/** The receiver says that it wants nothing any more. */
const GONE = 410;
/** After the next attempt is due: then the API looks whether its workflow is still there. */
const OVERDUE_MS = 60 * 60 * 1000;

interface Reach {
  addresses: readonly string[];
  resolve?: Resolve;
  timeoutMs?: number;
}

/** What an attempt makes of its delivery. */
interface Verdict {
  row: Pick<
    WebhookDelivery,
    'status' | 'attempts' | 'attemptedAt' | 'nextAttemptAt' | 'responseStatus' | 'response' | 'error'
  > &
    Partial<Pick<WebhookDelivery, 'dueAt'>>;
  nextInMs?: number;
  /** Whether it was the last of all attempts, and in vain. */
  isSpent: boolean;
}

/** @param reach which addresses may be reached although they are not public, in CIDR notation; tests say the rest */
export function createWebhookActivities(
  dataSource: DataSource,
  { addresses, resolve = systemResolve, timeoutMs = TIMEOUT_MS }: Reach,
): WebhookActivities {
  const guard = { addresses: new AddressRules(addresses), resolve, timeoutMs };
  const open = new OpenSends();

  const attempt = async (delivery: WebhookDelivery, webhook: Webhook, signal: AbortSignal): Promise<Outcome> => {
    if (webhook.status === 'disabled') return { error: WEBHOOK_DISABLED, isFinal: true };
    const { url, secret } = webhook;
    const message = { id: delivery.id, url, secret, body: bodyOf(delivery) };
    return open.of(webhook.id, () => sendWebhook(message, guard, signal));
  };

  return {
    attemptDelivery: async (input) => {
      const delivery = await dataSource.getRepository(WebhookDelivery).findOneBy(pending(input));
      const webhook = delivery && (await findWithSecret(dataSource.manager, delivery.webhook));
      if (!webhook) return {};
      const early = (delivery.nextAttemptAt?.getTime() ?? 0) - Date.now();
      if (early > 0) return { nextInMs: early };
      if (!(await begin(dataSource.manager, delivery))) return {};
      const signal = cancellationSignal();
      const verdict = judge(delivery, await attempt(delivery, webhook, signal));
      const settled = { delivery, webhook, verdict };
      await untilWritten(signal, () => dataSource.transaction((manager) => write(manager, settled)));
      return { nextInMs: verdict.nextInMs };
    },
  };
}

/** The row as this workflow may go on with it. */
function pending({ id, replay }: AttemptDeliveryInput) {
  return { id, replays: replay, status: 'pending' as const };
}

/**
 * From now on no replay comes between: it would send a second time what is being sent.
 * @returns whether the delivery is still this workflow's
 */
async function begin(
  manager: EntityManager,
  { id, replays: replay, nextAttemptAt }: WebhookDelivery,
): Promise<boolean> {
  if (nextAttemptAt === null) return true;
  const { affected } = await manager.update(WebhookDelivery, pending({ id, replay }), { nextAttemptAt: null });
  return affected === 1;
}

async function findWithSecret(manager: EntityManager, id: string): Promise<Webhook | null> {
  return manager.createQueryBuilder(Webhook, 'webhook').addSelect('webhook.secret').where({ id }).getOne();
}

/** The same bytes in every attempt. */
function bodyOf({ type, occurredAt, sequence, subject, data }: WebhookDelivery): string {
  return JSON.stringify({ type, timestamp: occurredAt.toISOString(), sequence, subject, data });
}

function judge({ attempts: before }: WebhookDelivery, outcome: Outcome): Verdict {
  const { status, response = null, error = null, isFinal = status === GONE, retryAfterMs } = outcome;
  const attempts = before + 1;
  const mayRetry = error !== null && !isFinal;
  const nextInMs = mayRetry ? delayAfter(attempts, retryAfterMs) : undefined;
  const now = Date.now();
  const next = nextInMs === undefined ? null : now + nextInMs;
  return {
    row: {
      status: error === null ? 'delivered' : next === null ? 'failed' : 'pending',
      attempts,
      attemptedAt: new Date(now),
      nextAttemptAt: next === null ? null : new Date(next),
      ...(next !== null && { dueAt: new Date(next + OVERDUE_MS) }),
      responseStatus: status ?? null,
      response,
      error,
    },
    nextInMs,
    isSpent: mayRetry && next === null,
  };
}

/** May be called again after it failed. The webhook's row is locked before the delivery's, as by whoever deletes them. */
async function write(
  manager: EntityManager,
  { delivery, webhook, verdict }: { delivery: WebhookDelivery; webhook: Webhook; verdict: Verdict },
): Promise<void> {
  const { id, replays } = delivery;
  const reason = await reasonToDisable(manager, delivery, verdict);
  if (reason !== undefined) await disable(manager, webhook, reason);
  // What was taken was taken, also if its webhook was disabled meanwhile.
  const standing = verdict.row.status === 'delivered' ? { id, replays } : pending({ id, replay: replays });
  await manager.update(WebhookDelivery, standing, verdict.row);
  if (reason !== undefined) await failPendingDeliveries(manager, webhook.id);
}

/** Why the webhook is to be sent nothing any more, if it is. */
async function reasonToDisable(
  manager: EntityManager,
  { webhook, createdAt }: WebhookDelivery,
  { row, isSpent }: Verdict,
): Promise<string | undefined> {
  if (row.responseStatus === GONE) return `the receiver answered with status ${GONE}: it wants nothing any more`;
  if (!isSpent) return undefined;
  const taken = { webhook, status: 'delivered' as const, attemptedAt: MoreThan(createdAt) };
  if (await manager.existsBy(WebhookDelivery, taken)) return undefined;
  return `a delivery failed in ${row.attempts} attempts, and the receiver has taken no other since it was made`;
}

async function disable(manager: EntityManager, { id, project }: Webhook, reason: string): Promise<void> {
  const disabled = { status: 'disabled', disabledReason: reason } as const;
  const { affected } = await manager.update(Webhook, { id, status: 'enabled' }, disabled);
  if (affected === 0) return;
  const told = ['webhook.disabled', id, JSON.stringify({ reason })];
  await manager.query('SELECT append_project_event($1, $2, $3, $4::jsonb, now())', [project, ...told]);
}
