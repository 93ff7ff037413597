import { Option, type Command } from 'commander';
import { PROJECT_EVENT_TYPES, type ProjectEventType } from '../../../contracts/events.js';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../../contracts/webhooks.js';
import type { Webhook, WebhookDelivery } from '../../client/api-types.js';
import type { CliContext } from '../../context.js';
import { formatTable, oneLine } from '../../output/format.js';
import { printJson, printList } from '../../output/print-run.js';
import { requireConsent } from '../../require-consent.js';
import { someOf } from '../../some-of.js';

/** Of an outcome in the table; `agentflow webhooks delivery` shows it whole. */
const LONGEST_OUTCOME = 100;

interface Options {
  json?: boolean;
}
interface CreateOptions extends Options {
  events?: ProjectEventType[];
  description?: string;
}
interface DeliveriesOptions extends Options {
  status?: DeliveryStatus;
}

export function registerWebhooks(program: Command, context: CliContext): void {
  const webhooks = program
    .command('webhooks')
    .description('Tell servers of yours of the events of the project. Changes need a key with the scope admin.');
  const subcommand = (name: string, argument: string, shown: string, description: string) =>
    webhooks.command(name).description(description).argument(argument, shown).option('--json', 'print JSON');
  const ofWebhook = (name: string, description: string) =>
    subcommand(name, '<webhook>', 'its id, webhook-…', description);

  subcommand(
    'create',
    '<url>',
    'where events are posted',
    'Create a webhook and print its secret: nothing shows it again.',
  )
    .option('--events <types>', 'only events of these types, with commas between them', someOf(PROJECT_EVENT_TYPES))
    .option('--description <text>', 'for people')
    .action(async (url: string, options: CreateOptions) => create(context, url, options));
  webhooks
    .command('list')
    .description('List the webhooks of the project, newest first.')
    .option('--json', 'print JSON')
    .action(async (options: Options) => list(context, options));
  ofWebhook('show', 'Show a webhook.').action(async (id: string, options: Options) =>
    show(context, await (await context.client()).getWebhook(id), options),
  );
  ofWebhook('deliveries', 'List what a webhook was told, newest first.')
    .addOption(new Option('--status <status>', 'only those that are so').choices(DELIVERY_STATUSES))
    .action(async (id: string, options: DeliveriesOptions) => deliveries(context, id, options));
  ofWebhook('test', 'Send a webhook an event webhook.test.').action(async (id: string, options: Options) =>
    sent(context, await (await context.client()).testWebhook(id), options),
  );
  const ofDelivery = (name: string, description: string) =>
    subcommand(name, '<delivery>', 'its id, delivery-…', description);
  ofDelivery('delivery', 'Show a delivery: its event, attempts, and what the receiver answered.').action(
    async (id: string, options: Options) =>
      showDelivery(context, await (await context.client()).getDelivery(id), options),
  );
  ofDelivery('replay', 'Send a delivery now: again if it is over, else without the wait for its next attempt.').action(
    async (id: string, options: Options) => sent(context, await (await context.client()).replayDelivery(id), options),
  );
  for (const [name, status, description] of [
    ['enable', 'enabled', 'Enable a webhook that was disabled: from now on it is told of events again.'],
    ['disable', 'disabled', 'Disable a webhook: it is told of nothing until it is enabled, also not later.'],
  ] as const) {
    ofWebhook(name, description).action(async (id: string, options: Options) =>
      show(context, await (await context.client()).changeWebhook(id, { status }), options),
    );
  }
  webhooks
    .command('delete')
    .description('Delete a webhook with its deliveries: what is pending is not sent any more. It asks before.')
    .argument('<webhook>', 'its id, webhook-…')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON')
    .action(async (id: string, options: Options & { yes?: boolean }) => remove(context, id, options));
}

async function create(context: CliContext, url: string, { events, description, json }: CreateOptions): Promise<void> {
  const created = await (
    await context.client()
  ).createWebhook({ url, ...(events && { events }), ...(description !== undefined && { description }) });
  if (json) return printJson(context, created);
  context.note(`${created.id} is told of ${typesOf(created)}. Keep its secret now: nothing shows it again.`);
  context.print(created.secret ?? '');
}

async function list(context: CliContext, { json }: Options): Promise<void> {
  const webhooks = await (await context.client()).listWebhooks();
  if (json) return printList(context, webhooks, ({ id }) => id);
  const rows = webhooks.map((webhook) => [
    webhook.id,
    webhook.status,
    webhook.created_at.slice(0, 10),
    typesOf(webhook),
    webhook.url,
    webhook.description,
    webhook.disabled_reason ?? '',
  ]);
  const header = ['WEBHOOK', 'STATUS', 'CREATED', 'EVENTS', 'URL', 'DESCRIPTION', 'DISABLED BECAUSE'];
  for (const line of formatTable(header, rows)) context.print(line);
}

function show(context: CliContext, webhook: Webhook, { json }: Options): void {
  if (json) return printJson(context, webhook);
  const reason = webhook.disabled_reason === null ? '' : `: ${webhook.disabled_reason}`;
  context.print(`${webhook.id} is ${webhook.status}${reason}`);
  context.print(`It is told of ${typesOf(webhook)} at ${webhook.url}`);
  if (webhook.description !== '') context.print(webhook.description);
}

async function deliveries(context: CliContext, id: string, { status, json }: DeliveriesOptions): Promise<void> {
  const told = await (await context.client()).listDeliveries(id, status);
  if (json) return printList(context, told, ({ id: one }) => one);
  const rows = told.map((delivery) => [
    delivery.id,
    delivery.created_at.slice(0, 19),
    `${delivery.type} ${delivery.subject}`,
    delivery.status,
    String(delivery.attempts),
    delivery.next_attempt_at?.slice(0, 19) ?? '-',
    oneLine(outcomeOf(delivery), LONGEST_OUTCOME),
  ]);
  const header = ['DELIVERY', 'CREATED', 'EVENT', 'STATUS', 'ATTEMPTS', 'NEXT ATTEMPT', 'OUTCOME'];
  for (const line of formatTable(header, rows)) context.print(line);
}

function showDelivery(context: CliContext, delivery: WebhookDelivery, { json }: Options): void {
  if (json) return printJson(context, delivery);
  const { id, webhook, type, subject, sequence, status, attempts, replays, response_status: answered } = delivery;
  const facts: [string, string | null][] = [
    ['delivery', id],
    ['webhook', webhook],
    ['event', `${type} ${subject}${sequence === null ? '' : `, number ${sequence} of the project`}`],
    ['created', delivery.created_at],
    ['status', status],
    ['attempts', `${attempts}${replays === 0 ? '' : ` since replay ${replays}`}`],
    ['last', delivery.attempted_at],
    ['next', delivery.next_attempt_at],
    ['error', delivery.error],
    ['answer', answered === null ? null : String(answered)],
  ];
  for (const [name, value] of facts) if (value !== null) context.print(`${name.padEnd(10)}${value}`);
  if (delivery.response) context.print(delivery.response);
}

/** What came of the last attempt. */
function outcomeOf({ error, response_status: answered, response }: WebhookDelivery): string {
  return [error ?? answered, response].filter((part) => part !== null && part !== '').join(': ');
}

function sent(context: CliContext, delivery: WebhookDelivery, { json }: Options): void {
  if (json) return printJson(context, delivery);
  context.print(`${delivery.id} (${delivery.type}) is being sent to ${delivery.webhook}.`);
  context.note(`What comes of it: agentflow webhooks delivery ${delivery.id}`);
}

/** @throws CliError without the user's consent */
async function remove(context: CliContext, id: string, { yes, json }: Options & { yes?: boolean }): Promise<void> {
  const client = await context.client();
  if (!yes) {
    const { url, status } = await client.getWebhook(id);
    await requireConsent(context, id, `${status}, ${url}. The log of its deliveries goes too.`);
  }
  await client.deleteWebhook(id);
  if (json) printJson(context, { id, deleted: true });
  else context.print(`Deleted ${id}.`);
}

function typesOf({ events }: Pick<Webhook, 'events'>): string {
  return events?.join(',') ?? 'all events';
}
