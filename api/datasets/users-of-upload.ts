import type { EntityManager } from 'typeorm';
import { conflict } from '../common/api-error.js';

/** Most users that a message names. */
const NAMED_AT_MOST = 10;

/** What names the upload $2 of the project $1, whether it has ended or not: what has ended may be revived, or forked. */
const USERS = `
  SELECT id, status FROM training_runs WHERE project = $1
    AND (config #>> '{dataset,upload}' = $2 OR config #>> '{evaluation,dataset,upload}' = $2)
  UNION ALL
  SELECT id, status FROM benchmark_evaluations WHERE project = $1
    AND config -> 'benchmarks' @> jsonb_build_array(jsonb_build_object('upload', $2::text))
  ORDER BY 1`;

/** @throws ApiError 409 that names what uses the upload */
export async function requireUnused(
  manager: EntityManager,
  { project, id, name }: { project: string; id: string; name: string },
): Promise<void> {
  const users: { id: string; status: string }[] = await manager.query(USERS, [project, id]);
  if (users.length === 0) return;
  const named = users.slice(0, NAMED_AT_MOST).map((user) => `${user.id} (${user.status})`);
  if (users.length > named.length) named.push(`${users.length - named.length} more`);
  const message = `The dataset "${name}" is used by ${named.join(', ')}. Delete these first.`;
  throw conflict('dataset_in_use', message, { param: 'id' });
}
