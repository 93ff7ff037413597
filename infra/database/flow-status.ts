import type { DataSource } from 'typeorm';
import { NEXT_WORK_STATUSES, type SetFlowStatusInput } from '../../contracts/submitted-flow.js';
import { AgentFlow } from './entities/agent-flow.entity.js';
import { isEnded, writeStatus } from './submission-rows.js';

/** `turn/module` of each row that the flow has at this moment. */
export const TURNS_NOW = `(SELECT COALESCE(jsonb_agg(turn || '/' || module), '[]') FROM turns WHERE flow_id = agent_flows.id)`;

/** Writes how an asked flow stands, as writeStatus() does. @returns whether the status was written */
export async function writeFlowStatus({ manager }: DataSource, input: SetFlowStatusInput): Promise<boolean> {
  const { flowId: id, status, result = null, budgets } = input;
  return writeStatus(
    manager,
    AgentFlow,
    NEXT_WORK_STATUSES,
    { ...input, id },
    {
      result,
      pausedAt: status === 'paused' ? () => 'now()' : null,
      turnsAtEnd: isEnded(input) ? () => TURNS_NOW : null,
      ...(budgets !== undefined && { budgets }),
    },
  );
}
