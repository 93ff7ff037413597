import { LessThan, type DataSource, type EntityManager } from 'typeorm';
import { TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { newerState, stateParameters } from '../../infra/database/run-status.js';
import { answerMetrics } from './answers/answer-figures.js';
import { readStepAnswers } from './answers/read-answers.js';
import type { RecordStepInput } from '../../contracts/agent-activities.js';

/**
 * Writes a finished step and its event once, with what its answers were like, and moves the run's row forward to it,
 * never back. What is to be looked at and was not in the step before is an event of its own.
 */
export async function recordStep(dataSource: DataSource, input: RecordStepInput): Promise<void> {
  const { runId, step, policy, state } = input;
  const answers = await readStepAnswers(dataSource, runId, step);
  const metrics = { ...input.metrics, ...(answers && answerMetrics(answers)) };
  await dataSource.transaction(async (manager) => {
    await manager
      .createQueryBuilder()
      .insert()
      .into(TrainingStep)
      .values({ runId, step, policySha256: policy.sha256, metrics: metrics as object, answers: answers as object })
      .orIgnore()
      .updateEntity(false)
      .execute();
    await manager.update(
      TrainingRun,
      { id: runId, step: LessThan(step) },
      { step, policyName: policy.name, policySha256: policy.sha256 },
    );
    if (state) {
      await manager
        .createQueryBuilder()
        .update(TrainingRun)
        .set({ state: newerState })
        .where('id = :runId', { runId })
        .setParameters(stateParameters(state))
        .execute();
    }
    await tellRecovery(manager, input);
    await appendEvent(manager, runId, `step/${step}`, 'step.completed', {
      step,
      policy: policy.name,
      policy_sha256: policy.sha256,
      metrics,
    });
    const before = await manager.findOneBy(TrainingStep, { runId, step: step - 1 });
    const known = before?.answers?.warnings.map(({ kind }) => kind);
    const warnings = answers?.warnings.filter(({ kind }) => !known?.includes(kind)) ?? [];
    if (warnings.length > 0) {
      await appendEvent(manager, runId, `step/${step}/warnings`, 'step.warned', { step, warnings });
    }
  });
}

/**
 * An event for a step before which the trainer had to make its state again, because the process that held it was lost or
 * had let go of it. Lost are the seconds since the batch was frozen but for those of the step itself.
 */
async function tellRecovery(manager: EntityManager, input: RecordStepInput): Promise<void> {
  const { runId, step, metrics, recoveredFrom: from } = input;
  if (from !== 'checkpoint' && from !== 'replay') return;
  const [{ seconds }] = await manager.query<{ seconds: number | null }[]>(
    'SELECT extract(epoch FROM clock_timestamp() - max(created_at))::float AS seconds FROM batches WHERE run_id = $1 AND step = $2',
    [runId, step],
  );
  const lost = Math.max(0, (seconds ?? 0) - Number(metrics['seconds'] ?? 0));
  const data = { step, from, seconds_lost: Math.round(lost * 10) / 10 };
  await appendEvent(manager, runId, `step/${step}/recovered`, 'run.recovered', data);
}
