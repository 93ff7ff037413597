import type { DataSource } from 'typeorm';

/** How PostgreSQL would run a query, as the text that EXPLAIN gives. */
export async function explain(dataSource: DataSource, sql: string, parameters: unknown[] = []): Promise<string> {
  const lines = await dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${sql}`, parameters);
  return lines.map((line) => line['QUERY PLAN']).join('\n');
}
