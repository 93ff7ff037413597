import { SCORED_OUTCOMES, type AgentFlowResult } from '../contracts/flow.js';

const scored: readonly string[] = SCORED_OUTCOMES;

/** Scored rollouts carry a reward and enter the batch; excluded ones do neither (I2). */
export function isScored(result: AgentFlowResult): boolean {
  return scored.includes(result.outcome);
}
