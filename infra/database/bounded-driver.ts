import pg from 'pg';

/** A server that is alive cancels a statement itself at `statement_timeout`: one that is silent for longer is not. */
const GRACE_MS = 1_000;

/** What the driver of PostgreSQL needs for a bound on the silence of the server, beside those that the server keeps. */
export function queryTimeoutMs(statementMs: number): number {
  return statementMs === 0 ? 0 : statementMs + GRACE_MS;
}

/**
 * A client that gives its connection up with a query that the server never answered. That of `pg` would keep the query,
 * and whoever got the client from the pool next would wait behind it.
 */
class BoundedClient extends pg.Client {
  /** Accepts what the overloads of `pg` do, and hands it on. */
  override query(...args: unknown[]): never {
    const result: unknown = (super.query as (...query: unknown[]) => unknown)(...args);
    if (result instanceof Promise) result.catch((error: Error) => this.giveUpAfter(error));
    return result as never;
  }

  private giveUpAfter({ message }: Error): void {
    if (message !== 'Query read timeout') return;
    const { stream } = (this as unknown as { connection: { stream: { destroy(): void } } }).connection;
    stream.destroy();
  }
}

class BoundedPool extends pg.Pool {
  constructor(options: pg.PoolConfig) {
    super({ ...options, Client: BoundedClient });
  }
}

/** For TypeORM in the place of `pg`. */
export const boundedDriver = Object.assign(Object.create(pg) as typeof pg, { Pool: BoundedPool });
