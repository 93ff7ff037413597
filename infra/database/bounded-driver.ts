import pg from 'pg';

/** A server that is alive cancels a statement itself at `statement_timeout`. One that is silent longer is dead. */
const GRACE_MS = 1_000;

/** How long the driver of PostgreSQL waits for a server that is silent: longer than the bound that the server keeps. */
export function queryTimeoutMs(statementMs: number): number {
  return statementMs === 0 ? 0 : statementMs + GRACE_MS;
}

/**
 * A client that closes its connection when the server never answered a query. The client of `pg` would keep the query,
 * and whoever got it from the pool next would wait behind that query.
 */
class BoundedClient extends pg.Client {
  /** Accepts what the overloads of `pg` accept, and hands it on. */
  override query(...args: unknown[]): never {
    const result: unknown = (super.query as (...query: unknown[]) => unknown)(...args);
    if (result instanceof Promise) result.catch((error: Error) => this.giveUpAfter(error));
    return result as never;
  }

  private giveUpAfter({ message }: Error): void {
    if (message === 'Query read timeout') closeAtOnce(this);
  }
}

/** Closes a connection without a farewell, which a server that has fallen silent would not answer. */
export function closeAtOnce(client: pg.Client): void {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  stream.destroy();
}

class BoundedPool extends pg.Pool {
  constructor(options: pg.PoolConfig) {
    super({ ...options, Client: BoundedClient });
  }
}

/** For TypeORM in the place of `pg`. */
export const boundedDriver = Object.assign(Object.create(pg) as typeof pg, { Pool: BoundedPool });
