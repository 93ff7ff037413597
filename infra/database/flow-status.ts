import type { DataSource } from 'typeorm';
import type { FlowStatus, SetFlowStatusInput } from '../../workflows/contracts/asked-flow.js';
import { AgentFlow } from './entities/agent-flow.entity.js';

const ENDED: readonly FlowStatus[] = ['completed', 'failed', 'cancelled'];

/** Whether a flow in this status will never do anything again. */
export function hasEnded(status: FlowStatus): boolean {
  return ENDED.includes(status);
}

/**
 * Writes how an asked flow stands. A version that is not newer than the stored one changes nothing, so a retried or late
 * writer never takes a flow back (design 9).
 * @returns whether the status was written
 */
export async function writeFlowStatus(dataSource: DataSource, input: SetFlowStatusInput): Promise<boolean> {
  const { flowId: id, version, status, result = null, failure = null } = input;
  const written = await dataSource
    .createQueryBuilder()
    .update(AgentFlow)
    .set({
      status,
      statusVersion: version,
      result: result,
      failure,
      pausedAt: status === 'paused' ? () => 'now()' : null,
      ...(status === 'running' && { startedAt: () => 'COALESCE(started_at, now())' }),
      ...(hasEnded(status) && { finishedAt: () => 'now()' }),
    })
    .where('id = :id AND status_version < :version', { id, version })
    .execute();
  return written.affected === 1;
}
