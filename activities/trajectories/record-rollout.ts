import type { DataSource } from 'typeorm';
import { Rollout } from '../../infra/database/entities/index.js';
import type { RecordRolloutInput } from '../../workflows/contracts/agent-activities.js';

/** Writes a finished flow's record once; a later one changes nothing. */
export async function recordRollout(dataSource: DataSource, input: RecordRolloutInput): Promise<void> {
  const { flow, query, policy, result, memory } = input;
  await dataSource
    .createQueryBuilder()
    .insert()
    .into(Rollout)
    .values({
      flowId: flow.flowId,
      runId: flow.runId,
      purpose: flow.purpose,
      step: flow.step,
      groupIndex: flow.group,
      rolloutIndex: flow.rollout,
      queryId: query.id,
      family: query.family,
      question: query.question,
      outcome: result.outcome,
      reward: result.reward ?? null,
      answer: result.answer ?? null,
      grading: result.grading ?? null,
      turns: result.turns,
      tools: result.tools,
      memory,
      policyName: policy?.name ?? null,
      policySha256: policy?.sha256 ?? null,
    })
    .orIgnore()
    .updateEntity(false)
    .execute();
}
