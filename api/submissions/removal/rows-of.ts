import type { DataSource, EntityMetadata } from 'typeorm';
import { Removal } from '../../../infra/database/entities/index.js';

/** Rows that are deleted in one transaction. */
const BATCH = 1_000;

/** A table with rows that belong to a training run, an agent flow or an evaluation. */
export interface OwnedTable {
  name: string;
  /** SQL that is true for the rows of $1; $2 is the pattern of the ids of its flows. */
  condition: string;
}

/**
 * Every table whose rows say to whom they belong: by a column `run_id`, or by the id of a flow, which begins with its
 * owner's, or as the subject of an event. Found by these columns, so that a table that is added later cannot be forgotten.
 */
export function ownedTables({ entityMetadatas }: DataSource): OwnedTable[] {
  return entityMetadatas.flatMap((entity) => {
    const name = entity.tableName;
    if (hasColumn(entity, 'run_id')) return [{ name, condition: 'run_id = $1' }];
    if (hasColumn(entity, 'flow_id')) return [{ name, condition: '(flow_id = $1 OR flow_id LIKE $2)' }];
    if (hasColumn(entity, 'subject')) return [{ name, condition: "subject = $1 AND type NOT LIKE '%.deleted'" }];
    return [];
  });
}

/**
 * Deletes the rows of a table that belong to what is removed, in short transactions. They run one at a time, also if
 * another process does the same: the row of the removal is their lock.
 * @param afterBatch called between any two transactions
 */
export async function deleteRowsOf(
  dataSource: DataSource,
  id: string,
  table: OwnedTable,
  afterBatch: () => Promise<void> | void,
): Promise<void> {
  const [rows, parameters] = rowsOf(table, id);
  for (let deleted = BATCH; deleted === BATCH; await afterBatch()) {
    deleted = await dataSource.transaction(async (manager) => {
      await manager.findOne(Removal, { where: { id }, lock: { mode: 'pessimistic_write' } });
      const statement = `DELETE FROM ${table.name} WHERE ctid = ANY (ARRAY (${rows}))`;
      const [, count] = await manager.query<[unknown, number]>(statement, parameters);
      return count;
    });
  }
}

/** The next batch of the rows that belong to something, and the parameters of the query. */
export function rowsOf({ name, condition }: OwnedTable, id: string): [sql: string, parameters: string[]] {
  // A parameter that no condition uses is refused: its type is not known.
  const parameters = condition.includes('$2') ? [id, `${id}/%`] : [id];
  return [`SELECT ctid FROM ${name} WHERE ${condition} LIMIT ${BATCH}`, parameters];
}

function hasColumn({ columns }: EntityMetadata, name: string): boolean {
  return columns.some(({ databaseName }) => databaseName === name);
}
