import type { RunFailure } from './agent-activities.js';
import type { AgentFlowResult } from './flow.js';

/** Where an agent flow that someone asked for stands. */
export type FlowStatus = 'queued' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';

export interface SetFlowStatusInput {
  flowId: string;
  /** Supplied by the workflow, ascending: an older version never overwrites a newer one (design 9). */
  version: number;
  status: FlowStatus;
  /** Once the flow has come to an end of its own, answered or not. */
  result?: AgentFlowResult;
  failure?: RunFailure;
}

export interface AskedFlowActivities {
  setFlowStatus(input: SetFlowStatusInput): Promise<void>;
}
