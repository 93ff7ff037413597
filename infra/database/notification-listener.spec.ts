import { EventEmitter, once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LISTENER_BOUNDS, LISTENER_NAME, NotificationListener } from './notification-listener.js';
import { DeafPooler } from './testing/deaf-pooler.js';
import { SilentProxy } from './testing/silent-proxy.js';
import { createTestDatabase, type TestDatabase } from './testing/test-database.js';

const CHANNEL = 'spec of "listeners"';
const usual = structuredClone(LISTENER_BOUNDS);

describe(NotificationListener, () => {
  let database: TestDatabase;
  let heard: EventEmitter;
  let payloads: string[];
  let listener: NotificationListener | undefined;

  beforeAll(async () => {
    database = await createTestDatabase();
    Object.assign(LISTENER_BOUNDS, { proofEveryMs: 20, proofMs: 500, retryMs: { first: 10, most: 50 } });
  });
  afterAll(async () => {
    Object.assign(LISTENER_BOUNDS, usual);
    await database.drop();
  });
  beforeEach(() => {
    heard = new EventEmitter();
    payloads = [];
  });
  afterEach(async () => listener?.stop());

  const listen = (url = database.url): NotificationListener => {
    listener = new NotificationListener(url, CHANNEL, {
      notified: (payload) => {
        payloads.push(payload);
        heard.emit('notified', payload);
      },
      listening: () => heard.emit('listening'),
      deaf: (reason) => heard.emit('deaf', reason),
    });
    listener.start();
    return listener;
  };
  const tell = (payload: string) => database.dataSource.query('SELECT pg_notify($1, $2)', [CHANNEL, payload]);
  const through = (port: number) => Object.assign(new URL(database.url), { port: String(port) }).toString();
  const port = () => Number(new URL(database.url).port);

  it('hears what is told when it is committed, and nothing of a transaction that is rolled back', async () => {
    const listening = once(heard, 'listening');
    listen();
    await listening;
    const failing = database.dataSource.transaction(async (manager) => {
      await manager.query('SELECT pg_notify($1, $2)', [CHANNEL, 'never']);
      throw new Error('roll back');
    });
    await expect(failing).rejects.toThrow('roll back');
    const told = once(heard, 'notified');
    await tell('first');
    await told;
    expect(payloads).toEqual(['first']);
  });

  it('says that it was deaf when its session is ended, and listens again', async () => {
    const first = once(heard, 'listening');
    listen();
    await first;
    const deaf = once(heard, 'deaf');
    const again = once(heard, 'listening');
    await database.dataSource.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
      [LISTENER_NAME],
    );
    expect(((await deaf) as [Error])[0].message).toMatch(/terminat|ended/i);
    await again;
    const told = once(heard, 'notified');
    await tell('after');
    await told;
    expect(payloads).toEqual(['after']);
  });

  it('notices a connection that is dead without an error, and makes another', async () => {
    const proxy = await SilentProxy.to(port());
    const first = once(heard, 'listening');
    listen(through(proxy.port));
    await first;
    const deaf = once(heard, 'deaf');
    proxy.fallSilent();
    await deaf;
    const again = once(heard, 'listening');
    proxy.speak();
    await again;
    await listener?.stop();
    await proxy.close();
  });

  it('never counts as listening behind a pooler that takes LISTEN and delivers nothing, and says why', async () => {
    const pooler = await DeafPooler.to(port());
    let listening = false;
    heard.on('listening', () => (listening = true));
    const deaf = once(heard, 'deaf');
    listen(through(pooler.port));
    expect(((await deaf) as [Error])[0].message).toContain('pooler in transaction mode');
    expect(listening).toBe(false);
    await listener?.stop();
    await pooler.close();
  });

  it('goes on trying while there is no server, and ends when it is stopped', async () => {
    const deaf = once(heard, 'deaf');
    const stopping = listen('postgres://nobody@127.0.0.1:1/none');
    await deaf;
    await once(heard, 'deaf');
    await stopping.stop();
  });
});
