import type { DataSource, EntityManager } from 'typeorm';
import type { SetRunStatusInput } from '../../contracts/agent-activities.js';
import { NEXT_STATUSES, type TrainingRunState } from '../../contracts/training-run.js';
import { TrainingRun } from './entities/training-run.entity.js';
import { appendEvent } from './run-events.js';
import { writeStatus } from './submission-rows.js';

/**
 * Writes a run's status, as writeStatus() does, and the event `run.<status>` in one transaction. A step before the
 * stored one is in the event only: a retried or late writer never takes a run back.
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
      ...(input.state?.learningRate !== undefined && { learning_rate: input.state.learningRate }),
    });
    return true;
  });
}

async function updateRun(manager: EntityManager, input: SetRunStatusInput): Promise<boolean> {
  const { runId: id, steps, step, policy, state } = input;
  const columns = {
    steps,
    step: () => 'GREATEST(step, :step)',
    ...(policy && { policyName: unlessLater('policy_name'), policySha256: unlessLater('policy_sha256') }),
    ...(state && { state: newerState }),
  };
  const parameters = { step, policy_name: policy?.name, policy_sha256: policy?.sha256, ...stateParameters(state) };
  return writeStatus(manager, TrainingRun, NEXT_STATUSES, { ...input, id }, columns, parameters);
}

/**
 * The value of the column `state`: the given one, unless the row holds a newer one, of a later status or step. Statuses
 * and steps are written at the same time, and a retry may come late.
 */
export function newerState(): string {
  return `CASE WHEN (COALESCE((state ->> 'statusVersion')::int, -1), COALESCE((state ->> 'step')::int, -1))
    > (:stateVersion, :stateStep) THEN state ELSE :state::jsonb END`;
}

/** The parameters of newerState(). */
export function stateParameters(state?: TrainingRunState): Record<string, unknown> {
  return state ? { state: JSON.stringify(state), stateVersion: state.statusVersion, stateStep: state.step } : {};
}

/** A column's new value, unless the record of a later step has set it meanwhile. */
function unlessLater(column: 'policy_name' | 'policy_sha256'): () => string {
  return () => `CASE WHEN step > :step THEN ${column} ELSE :${column} END`;
}
