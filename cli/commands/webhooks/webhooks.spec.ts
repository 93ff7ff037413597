import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApi } from '../../../api/testing/test-api.js';
import { WebhookDelivery } from '../../../infra/database/entities/index.js';
import type { CreatedWebhook, Webhook, WebhookDelivery as Delivery } from '../../client/api-types.js';
import { runCli, type CliOutcome } from '../../testing/test-cli.js';

const URL = 'https://receiver.test/hook';

describe('agentflow webhooks', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await TestApi.start();
  });
  afterAll(async () => api.stop());

  const cli = (...args: string[]): Promise<CliOutcome> => runCli({ url: api.url, key: api.key }, 'webhooks', ...args);
  const json = async <T>(...args: string[]): Promise<T> =>
    JSON.parse((await cli(...args, '--json')).lines.join('\n')) as T;
  const create = (...args: string[]) => json<CreatedWebhook>('create', URL, ...args);

  it('create prints the secret alone on standard output, and show never does', async () => {
    const { lines, notes } = await cli('create', URL, '--events', 'run.completed,run.failed', '--description', 'ours');
    expect(lines).toEqual([expect.stringMatching(/^whsec_\S{44}$/)]);
    expect(notes.join('\n')).toMatch(/^webhook-\S+ is told of run\.completed,run\.failed\. Keep its secret now/);
    expect(notes.join('\n')).not.toContain(lines[0]);
    const [id] = notes[0].split(' ');
    expect((await cli('show', id)).lines).toEqual([
      `${id} is enabled`,
      `It is told of run.completed,run.failed at ${URL}`,
      'ours',
    ]);
  });

  it('list shows a table, with why one is disabled', async () => {
    const { id } = await create();
    const { lines } = await cli('list');
    expect(lines[0].split(/ {2,}/)).toEqual([
      'WEBHOOK',
      'STATUS',
      'CREATED',
      'EVENTS',
      'URL',
      'DESCRIPTION',
      'DISABLED BECAUSE',
    ]);
    expect(lines.find((line) => line.includes(id))).toMatch(/enabled +\S+ +all events +https:\/\/receiver\.test\/hook/);
    expect((await json<{ data: Webhook[] }>('list')).data.map((webhook) => webhook.id)).toContain(id);
    await cli('disable', id);
    const shown = (await cli('list')).lines.find((line) => line.includes(id));
    expect(shown).toMatch(/disabled .* it was disabled over the API$/);
  });

  it('test, deliveries, delivery and replay: what was sent, what came of it, and once more', async () => {
    const { id } = await create();
    const { lines, notes } = await cli('test', id);
    expect(lines[0]).toMatch(/^delivery-\S+ \(webhook\.test\) is being sent to webhook-\S+\.$/);
    const [delivery] = lines[0].split(' ');
    expect(notes).toEqual([`What comes of it: agentflow webhooks delivery ${delivery}`]);
    await expect(cli('replay', delivery)).rejects.toThrow(/is being sent: wait for what comes of it/);
    const response = `out of order\n${'because '.repeat(60)}`;
    const answered = { attempts: 8, error: 'the receiver answered with status 500', responseStatus: 500, response };
    const failed = { ...answered, status: 'failed', attemptedAt: new Date('2026-01-31T12:00:00Z') } as const;
    await api.database.dataSource.getRepository(WebhookDelivery).update({ id: delivery }, failed);
    const table = (await cli('deliveries', id, '--status', 'failed')).lines;
    expect(table[0].split(/ {2,}/)).toEqual([
      ...['DELIVERY', 'CREATED', 'EVENT', 'STATUS', 'ATTEMPTS', 'NEXT ATTEMPT', 'OUTCOME'],
    ]);
    expect(table[1]).toMatch(/ failed +8 +- +the receiver answered with status 500: out of order because because .*…$/);
    expect(await json('deliveries', id, '--status', 'pending')).toMatchObject({ data: [] });
    const whole = (await cli('delivery', delivery)).lines;
    expect(whole.slice(0, 3)).toEqual([`delivery  ${delivery}`, `webhook   ${id}`, `event     webhook.test ${id}`]);
    expect(whole.slice(4)).toEqual([
      'status    failed',
      'attempts  8',
      'last      2026-01-31T12:00:00.000Z',
      'error     the receiver answered with status 500',
      'answer    500',
      response,
    ]);
    expect(await json<Delivery>('delivery', delivery)).toMatchObject({ id: delivery, response });
    expect(await json<Delivery>('replay', delivery)).toMatchObject({ id: delivery, status: 'pending', replays: 1 });
  });

  it('disable and enable say how it stands, and delete removes it', async () => {
    const { id } = await create();
    expect((await cli('disable', id)).lines[0]).toBe(`${id} is disabled: it was disabled over the API`);
    await expect(cli('test', id)).rejects.toThrow(/is disabled .*Enable it first/);
    expect(await json<Webhook>('enable', id)).toMatchObject({ status: 'enabled', disabled_reason: null });
    await expect(cli('delete', id)).rejects.toThrow(/Nothing was deleted/);
    expect((await cli('delete', id, '--yes')).lines).toEqual([`Deleted ${id}.`]);
    await expect(cli('show', id)).rejects.toThrow(`There is no webhook "${id}"`);
  });

  it.each([
    [['create', 'http://10.0.0.5/'], /10\.0\.0\.5 is not a public address/],
    [['create', URL, '--events', 'run.exploded'], /It must be some of run\.queued/],
    [['deliveries', 'webhook-none'], /There is no webhook "webhook-none"/],
    [['deliveries', 'webhook-none', '--status', 'lost'], /Allowed choices are pending, delivered, failed/],
    [['delivery', 'delivery-none'], /There is no delivery "delivery-none"/],
    [['replay', 'delivery-none'], /There is no delivery "delivery-none"/],
  ])('%j says what is wrong', async (args, message) => {
    await expect(cli(...args)).rejects.toThrow(message);
  });
});
