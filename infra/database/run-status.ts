import type { DataSource, EntityManager } from 'typeorm';
import type { RunStatus, SetRunStatusInput } from '../../workflows/contracts/agent-activities.js';
import { TrainingRun } from './entities/training-run.entity.js';
import { appendEvent } from './run-events.js';

const FINISHED: readonly RunStatus[] = ['cancelled', 'completed', 'failed'];

/** Whether a run in this status will never do anything again. */
export function isFinished(status: RunStatus): boolean {
  return FINISHED.includes(status);
}

/**
 * Writes a run's status and the event `run.<status>` in one transaction. A version that is not newer than the stored
 * one changes nothing, and a step before the stored one stays in the event alone: a retried or late writer never takes a
 * run back (design 9).
 * @returns whether the status was written
 */
export async function writeRunStatus(dataSource: DataSource, input: SetRunStatusInput): Promise<boolean> {
  return dataSource.transaction(async (manager) => {
    if (!(await updateRun(manager, input))) return false;
    await appendEvent(manager, input.runId, `status/${input.version}`, `run.${input.status}`, {
      status: input.status,
      step: input.step,
      steps: input.steps,
      ...(input.policy && { policy: input.policy.name, policy_sha256: input.policy.sha256 }),
      ...(input.failure && { failure: input.failure }),
    });
    return true;
  });
}

async function updateRun(manager: EntityManager, input: SetRunStatusInput): Promise<boolean> {
  const result = await manager
    .createQueryBuilder()
    .update(TrainingRun)
    .set({
      status: input.status,
      statusVersion: input.version,
      steps: input.steps,
      step: () => 'GREATEST(step, :step)',
      failure: input.failure ?? null,
      ...(input.policy && { policyName: unlessLater('policy_name'), policySha256: unlessLater('policy_sha256') }),
      ...(input.status === 'running' && { startedAt: () => 'COALESCE(started_at, now())' }),
      ...(isFinished(input.status) && { finishedAt: () => 'now()' }),
    })
    .where('id = :id AND status_version < :version', { id: input.runId, version: input.version })
    .setParameters({ step: input.step, policy_name: input.policy?.name, policy_sha256: input.policy?.sha256 })
    .execute();
  return result.affected === 1;
}

/** A column's new value, but where the record of a later step has set it meanwhile. */
function unlessLater(column: 'policy_name' | 'policy_sha256'): () => string {
  return () => `CASE WHEN step > :step THEN ${column} ELSE :${column} END`;
}
