import type { DataSource } from 'typeorm';
import { HeldOutEvaluation } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import type { EvaluationSummary } from '../../contracts/training-run.js';

/** Writes a finished evaluation and its event once; a later record with the same id changes nothing. */
export async function recordEvaluation(dataSource: DataSource, summary: EvaluationSummary): Promise<void> {
  const { policy, interval, byFamily, toolMix, ...columns } = summary;
  await dataSource.transaction(async (manager) => {
    await manager
      .createQueryBuilder()
      .insert()
      .into(HeldOutEvaluation)
      .values({
        ...columns,
        policyName: policy.name,
        policySha256: policy.sha256,
        intervalLow: interval[0],
        intervalHigh: interval[1],
        byFamily,
        toolMix,
      })
      .orIgnore()
      .updateEntity(false)
      .execute();
    await appendEvent(manager, summary.runId, summary.id, 'evaluation.completed', eventData(summary));
  });
}

function eventData(summary: EvaluationSummary): Record<string, unknown> {
  return {
    id: summary.id,
    step: summary.step,
    planner: summary.planner,
    policy: summary.policy.name,
    policy_sha256: summary.policy.sha256,
    questions: summary.questions,
    correct: summary.correct,
    failed: summary.failed,
    accuracy: summary.accuracy,
    interval: summary.interval,
    by_family: summary.byFamily,
    mean_turns: summary.meanTurns,
    tool_mix: summary.toolMix,
  };
}
