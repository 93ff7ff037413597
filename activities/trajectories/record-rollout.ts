import type { DataSource } from 'typeorm';
import { Rollout } from '../../infra/database/entities/index.js';
import { OUTAGE_OUTCOMES, placeOf } from '../../contracts/flow.js';
import type { RecordRolloutInput } from '../../contracts/agent-activities.js';

/** What a flow came to. */
const OUTCOME = ['outcome', 'reward', 'answer', 'grading', 'turns', 'tools', 'memory'];

/** Writes a finished flow's record once; a later one changes nothing, unless the first was lost to an outage. */
export async function recordRollout(dataSource: DataSource, input: RecordRolloutInput): Promise<void> {
  const { flow, query, policy, result, memory } = input;
  const { step, group, rollout } = placeOf(flow);
  await dataSource
    .createQueryBuilder()
    .insert()
    .into(Rollout)
    .values({
      flowId: flow.flowId,
      submissionId: flow.runId,
      purpose: flow.purpose,
      step,
      groupIndex: group,
      rolloutIndex: rollout,
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
    .orUpdate(OUTCOME, ['flow_id'], {
      overwriteCondition: {
        where: 'rollouts.outcome IN (:...outages)',
        parameters: { outages: OUTAGE_OUTCOMES },
      },
    })
    .updateEntity(false)
    .execute();
}
