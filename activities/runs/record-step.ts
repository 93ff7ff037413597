import { LessThan, type DataSource } from 'typeorm';
import { TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import type { RecordStepInput } from '../../workflows/contracts/agent-activities.js';

/** Writes a finished step and its event once and moves the run's row forward to it, never back. */
export async function recordStep(dataSource: DataSource, input: RecordStepInput): Promise<void> {
  const { runId, step, policy, metrics } = input;
  await dataSource.transaction(async (manager) => {
    await manager
      .createQueryBuilder()
      .insert()
      .into(TrainingStep)
      .values({ runId, step, policySha256: policy.sha256, metrics: metrics as object })
      .orIgnore()
      .updateEntity(false)
      .execute();
    await manager.update(
      TrainingRun,
      { id: runId, step: LessThan(step) },
      { step, policyName: policy.name, policySha256: policy.sha256 },
    );
    await appendEvent(manager, runId, `step/${step}`, 'step.completed', {
      step,
      policy: policy.name,
      policy_sha256: policy.sha256,
      metrics,
    });
  });
}
