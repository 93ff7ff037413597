import type { DataSource, EntityManager } from 'typeorm';
import { Rollout } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { EXCLUDED_OUTCOMES, OUTAGE_OUTCOMES, placeOf } from '../../contracts/flow.js';
import type { RecordRolloutInput } from '../../contracts/agent-activities.js';

/** What a flow came to. */
const OUTCOME = ['outcome', 'reward', 'answer', 'grading', 'turns', 'tools', 'memory'];

/**
 * Writes a finished flow's record once; a later one changes nothing, unless the first was lost to an outage. That a
 * rollout was excluded from its step is an event.
 */
export async function recordRollout(dataSource: DataSource, input: RecordRolloutInput): Promise<void> {
  const { flow, result } = input;
  const { outcome } = result;
  if (flow.purpose !== 'train' || !(EXCLUDED_OUTCOMES as readonly string[]).includes(outcome)) {
    return writeRecord(dataSource.manager, input);
  }
  await dataSource.transaction(async (manager) => {
    await writeRecord(manager, input);
    const data = { flow_id: flow.flowId, ...placeOf(flow), outcome };
    await appendEvent(manager, flow.runId, `excluded/${flow.flowId}`, 'rollout.excluded', data);
  });
}

async function writeRecord(manager: EntityManager, input: RecordRolloutInput): Promise<void> {
  const { flow, query, policy, result, memory } = input;
  const { step, group, rollout } = placeOf(flow);
  await manager
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
