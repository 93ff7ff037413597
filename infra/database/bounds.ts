/** How long a process waits for PostgreSQL, in milliseconds. */
export interface DatabaseBounds {
  /** For a connection: a new one, or one of the pool that is free. */
  connectMs: number;
  /** For a lock that another session holds. */
  lockMs: number;
  /** For a statement. 0: no limit. */
  statementMs: number;
  /** How long a transaction may stay open with nothing to do. It would hold its locks. 0: no limit. */
  idleInTransactionMs: number;
}

export type DatabaseRole = 'api' | 'agent-worker' | 'command' | 'migrations';

export const DATABASE_BOUNDS: Record<DatabaseRole, DatabaseBounds> = {
  /** Somebody waits for the answer, and can ask again. */
  api: { connectMs: 3_000, lockMs: 3_000, statementMs: 5_000, idleInTransactionMs: 10_000 },
  /** Activities are retried: these bounds only have to end before an attempt does. */
  'agent-worker': { connectMs: 10_000, lockMs: 20_000, statementMs: 60_000, idleInTransactionMs: 60_000 },
  /** A start, a command, a test. */
  command: { connectMs: 10_000, lockMs: 10_000, statementMs: 60_000, idleInTransactionMs: 60_000 },
  /** A statement takes long if the tables are large. A wait for a lock may be one for another process that migrates. */
  migrations: { connectMs: 10_000, lockMs: 60_000, statementMs: 0, idleInTransactionMs: 0 },
};
