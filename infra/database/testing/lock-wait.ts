import type { DataSource } from 'typeorm';

/** Until a session of the database waits for a lock that another one holds. */
export async function untilSomebodyWaits(dataSource: DataSource): Promise<void> {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await dataSource.query<unknown[]>(waiting)).length === 0);
}
