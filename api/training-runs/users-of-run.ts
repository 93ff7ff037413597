import type { EntityManager } from 'typeorm';
import { PolicyPin } from '../../infra/database/entities/index.js';
import { ENDED } from '../../infra/database/submission-rows.js';
import { conflict } from '../common/api-error.js';

/** Most users that a message names. */
const NAMED_AT_MOST = 10;

/** What is unfinished and uses a policy or the trajectories of the run $1. $2: statuses of what has ended. */
const USERS = `
  SELECT id, status, 'starts from its policy ' || (config #>> '{from,policy}') AS use FROM training_runs
    WHERE status <> ALL($2) AND starts_with(config #>> '{from,policy}', $1 || '@')
  UNION ALL
  SELECT id, status, 'has its policy ' || (config #>> '{training,kl,reference}') || ' as reference' FROM training_runs
    WHERE status <> ALL($2) AND starts_with(config #>> '{training,kl,reference}', $1 || '@')
  UNION ALL
  SELECT id, status, 'learns from its trajectories' FROM training_runs
    WHERE status <> ALL($2) AND config #>> '{training,trajectories,run}' = $1
  UNION ALL
  SELECT id, status, 'asks its policy ' || policy_name FROM agent_flows
    WHERE finished_at IS NULL AND starts_with(policy_name, $1 || '@')
  UNION ALL
  SELECT id, status, 'evaluates its policy ' || policy FROM benchmark_evaluations,
    jsonb_array_elements_text(config -> 'policies') AS policy
    WHERE status <> ALL($2) AND starts_with(policy, $1 || '@')
  UNION ALL
  SELECT id, status, 'exports its policy ' || policy_name FROM policy_exports
    WHERE status <> ALL($2) AND starts_with(policy_name, $1 || '@')
  ORDER BY 1, 3`;

/**
 * The same claims as a trainer's collection reads (flow_grpo/trainer/collection.py), and the sources of SFT.
 * @throws ApiError 409 that names what is unfinished and uses the run
 */
export async function requireUnused(manager: EntityManager, runId: string): Promise<void> {
  const users: { id: string; status: string; use: string }[] = await manager.query(USERS, [runId, ENDED]);
  if (users.length === 0) return;
  const named = users.slice(0, NAMED_AT_MOST).map(({ id, status, use }) => `${id} (${status}) ${use}`);
  if (users.length > named.length) named.push(`${users.length - named.length} more use it`);
  const message = `${runId} cannot be deleted: ${named.join('; ')}. Cancel them first, or wait until they have ended.`;
  throw conflict('training_run_in_use', message, { param: 'id' });
}

/**
 * A pin says that somebody wants the policy: whoever deletes the run is told, as if it were used.
 * @throws ApiError 409 that names the pinned policies of the run
 */
export async function requireUnpinned(manager: EntityManager, runId: string): Promise<void> {
  const pins = await manager.find(PolicyPin, { where: { runId }, order: { step: 'ASC' } });
  if (pins.length === 0) return;
  const named = pins.slice(0, NAMED_AT_MOST).map(({ step }) => `${runId}@${step}`);
  if (pins.length > named.length) named.push(`${pins.length - named.length} more`);
  const message = `${runId} cannot be deleted: its policies ${named.join(', ')} are pinned. Unpin them first: npx agentflow policies unpin ${named[0]}`;
  throw conflict('policies_pinned', message, { param: 'id' });
}
