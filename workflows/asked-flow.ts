import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { runCalls } from './calls.js';
import type { RunFailure } from './contracts/agent-activities.js';
import type { SetFlowStatusInput } from './contracts/asked-flow.js';
import type { AgentFlowInput, AgentFlowResult, ExcludedOutcome } from './contracts/flow.js';
import { listedFailure } from './failed-calls.js';
import { isScored } from './outcomes.js';

/** What is said of a flow that came to no answer for a reason outside of it. */
const EXCLUSIONS: Record<ExcludedOutcome, string> = {
  infrastructure: 'A call went on failing for longer than the operator lets it.',
  group_deadline: 'The flow was not finished in time.',
  prompt_too_long: "The first prompt does not fit into the planner's context.",
};

/** Runs a flow that nobody waits for but who asked: its row is told how it begins and how it ends. */
export async function askedFlow(input: AgentFlowInput, run: () => Promise<AgentFlowResult>): Promise<AgentFlowResult> {
  const tell = (status: Omit<SetFlowStatusInput, 'flowId'>) =>
    runCalls(input.settings).setFlowStatus.executeWithOptions({ summary: status.status }, [
      { flowId: input.flow.flowId, ...status },
    ]);
  let result: AgentFlowResult;
  try {
    await tell({ version: 1, status: 'running' });
    result = await run();
  } catch (error) {
    await CancellationScope.nonCancellable(() => tell({ version: 2, ...endOf(error) }));
    throw error;
  }
  await CancellationScope.nonCancellable(() => tell({ version: 2, result, ...verdictOn(result) }));
  return result;
}

function endOf(error: unknown): Pick<SetFlowStatusInput, 'status' | 'failure'> {
  if (isCancellation(error)) return { status: 'cancelled' };
  return { status: 'failed', failure: listedFailure(error) ?? { type: 'Unexpected', message: String(error) } };
}

function verdictOn(result: AgentFlowResult): Pick<SetFlowStatusInput, 'status'> & { failure?: RunFailure } {
  if (isScored(result)) return { status: 'completed' };
  const type = result.outcome as ExcludedOutcome;
  return { status: 'failed', failure: { type, message: EXCLUSIONS[type] } };
}
