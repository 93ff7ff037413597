import type { DataSource } from 'typeorm';

/** Until so many sessions of the database wait for locks that others hold. */
export async function untilSomebodyWaits(dataSource: DataSource, sessions = 1): Promise<void> {
  const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await dataSource.query<unknown[]>(waiting)).length < sessions);
}
