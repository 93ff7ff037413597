import type { RunFailure } from './failures.js';
import type { AgentFlowResult } from './flow.js';
import type { RowWriter } from './row-writer.js';

/** Where an agent flow that someone asked for stands. */
export type FlowStatus = 'queued' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';

/** The statuses that an agent flow, or an evaluation, may have after each, as its workflow writes them. */
export const NEXT_WORK_STATUSES: Record<FlowStatus, readonly FlowStatus[]> = {
  queued: ['running', 'failed', 'cancelled'],
  running: ['paused', 'completed', 'failed', 'cancelled'],
  paused: ['running', 'completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

export interface SetFlowStatusInput {
  flowId: string;
  /** Supplied by the workflow, ascending: an older version never overwrites a newer one. */
  version: number;
  status: FlowStatus;
  /** Once the flow has come to an end of its own, answered or not. */
  result?: AgentFlowResult;
  failure?: RunFailure;
  /** How often the flow's budget was granted. */
  budgets?: number;
  /** Absent in calls of older versions. */
  writer?: RowWriter;
}

export interface FlowActivities {
  setFlowStatus(input: SetFlowStatusInput): Promise<void>;
}
