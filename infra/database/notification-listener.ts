import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { closeAtOnce } from './bounded-driver.js';
import { DATABASE_BOUNDS } from './bounds.js';

/** The name of its sessions in `pg_stat_activity`. */
export const LISTENER_NAME = 'agentflow-listener';

export const LISTENER_BOUNDS = {
  /** Between two proofs that what is told arrives. */
  proofEveryMs: 10_000,
  /** How long a proof may take. */
  proofMs: 3_000,
  /** Before the next attempt to connect: it doubles, and no two processes wait equally long. */
  retryMs: { first: 200, most: 5_000 },
};

const PROOF = 'proof/';
const NOTHING_ARRIVES =
  'PostgreSQL does not deliver what is told on its channel: the connection is dead, or a pooler in transaction mode is in ' +
  'between. DATABASE_URL has to lead to PostgreSQL itself or to a pooler in session mode.';

/** Who is told. */
export interface Told {
  /** Something was told on the channel. */
  notified(payload: string): void;
  /** From now on everything that is told arrives. What was told before may have been missed. */
  listening(): void;
  /** From now on things may be missed. */
  deaf(reason: Error): void;
}

/**
 * Listens on a channel of PostgreSQL on a connection of its own, which it makes again whenever it is lost. A connection
 * may be lost without an error, and a pooler may take LISTEN and deliver nothing: therefore it counts as listening only
 * while what it tells itself arrives.
 */
export class NotificationListener {
  private readonly stopped = new AbortController();
  private running: Promise<void> = Promise.resolve();

  /** @param url `postgres://user:password@host:port/database` */
  constructor(
    private readonly url: string,
    private readonly channel: string,
    private readonly told: Told,
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    let wait = LISTENER_BOUNDS.retryMs.first;
    while (!signal.aborted) {
      const connection = new Connection(this.url, this.channel, this.told, signal);
      try {
        await connection.listen();
      } catch (error) {
        if (signal.aborted) return;
        this.told.deaf(error as Error);
        wait = connection.proven ? LISTENER_BOUNDS.retryMs.first : Math.min(2 * wait, LISTENER_BOUNDS.retryMs.most);
      } finally {
        connection.close();
      }
      await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** One connection that listens. */
class Connection {
  /** Whether it has listened at all. */
  proven = false;
  private readonly client: pg.Client;
  private readonly proofs = new EventEmitter();
  private readonly lost = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    url: string,
    private readonly channel: string,
    private readonly told: Told,
    stopped: AbortSignal,
  ) {
    this.signal = AbortSignal.any([this.lost.signal, stopped]);
    this.client = new pg.Client({
      connectionString: url,
      application_name: LISTENER_NAME,
      connectionTimeoutMillis: DATABASE_BOUNDS.api.connectMs,
      query_timeout: LISTENER_BOUNDS.proofMs,
      keepAlive: true,
    });
    this.client.on('error', (error) => this.lost.abort(error));
    this.client.on('end', () => this.lost.abort(new Error('PostgreSQL ended the connection that listens.')));
    this.client.on('notification', ({ payload = '' }) => {
      if (payload.startsWith(PROOF)) this.proofs.emit(payload);
      else told.notified(payload);
    });
  }

  /** Until the connection is lost or is to end. @throws the reason */
  async listen(): Promise<void> {
    try {
      await this.client.connect();
      await this.client.query(`LISTEN ${this.client.escapeIdentifier(this.channel)}`);
      for (;;) {
        await this.prove();
        if (!this.proven) this.told.listening();
        this.proven = true;
        await sleep(LISTENER_BOUNDS.proofEveryMs, undefined, { signal: this.signal });
      }
    } catch (error) {
      throw this.lost.signal.aborted ? this.lost.signal.reason : error;
    }
  }

  close(): void {
    closeAtOnce(this.client);
  }

  /** Tells itself something, and waits until it arrives. */
  private async prove(): Promise<void> {
    const proof = PROOF + randomUUID();
    const tooLong = AbortSignal.timeout(LISTENER_BOUNDS.proofMs);
    try {
      await Promise.all([
        once(this.proofs, proof, { signal: AbortSignal.any([this.signal, tooLong]) }),
        this.client.query('SELECT pg_notify($1, $2)', [this.channel, proof]),
      ]);
    } catch (error) {
      throw tooLong.aborted ? new Error(NOTHING_ARRIVES, { cause: error }) : error;
    }
  }
}
