import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import { runCalls } from './calls.js';
import type { RunFailure } from './contracts/agent-activities.js';
import type { SetFlowStatusInput } from './contracts/asked-flow.js';
import { FailureType } from './contracts/failures.js';
import type { AgentFlowInput, AgentFlowResult, ExcludedOutcome } from './contracts/flow.js';
import { pauseDetails } from './details.js';
import { listedFailure } from './failed-calls.js';
import { resumeFlowUpdate } from './messages.js';
import { isScored } from './outcomes.js';

/** What is said of a flow that came to no answer for a reason outside of it. */
const EXCLUSIONS: Record<ExcludedOutcome, string> = {
  infrastructure: 'A call went on failing for longer than the operator lets it.',
  group_deadline: 'The flow was not finished in time.',
  prompt_too_long: 'A prompt does not fit into the context of the model that it is for.',
};

/** A flow that no run waits for but who asked: its row is told how it begins, pauses and ends. */
export class AskedFlow {
  /** How often `flow.budget` was granted: once, and once more with each resume after it was spent. */
  budgets = 1;
  private version = 0;
  private spent: RunFailure | undefined;

  constructor(private readonly input: AgentFlowInput) {
    setHandler(resumeFlowUpdate, () => this.resume(), {
      description: 'Go on after the budget was spent, with the budget granted once more.',
    });
  }

  async run(flow: () => Promise<AgentFlowResult>): Promise<AgentFlowResult> {
    let result: AgentFlowResult;
    try {
      await this.tell({ status: 'running' });
      result = await flow();
    } catch (error) {
      await CancellationScope.nonCancellable(() => this.tell(endOf(error)));
      throw error;
    }
    await CancellationScope.nonCancellable(() => this.tell({ result, ...verdictOn(result) }));
    return result;
  }

  /** Makes a call, and makes it again after each pause that a spent budget was the reason for. */
  async afford<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const failure = listedFailure(error);
        if (failure?.type !== FailureType.BudgetSpent) throw error;
        await this.pause(failure);
      }
    }
  }

  private async pause(failure: RunFailure): Promise<void> {
    this.spent = failure;
    setCurrentDetails(pauseDetails(failure));
    await this.tell({ status: 'paused', failure });
    await condition(() => this.spent === undefined && allHandlersFinished());
  }

  /** Idempotent: resuming a flow that runs answers with the status that it has. */
  private async resume(): Promise<'running'> {
    if (!this.spent) return 'running';
    this.spent = undefined;
    this.budgets += 1;
    await this.tell({ status: 'running' });
    return 'running';
  }

  private async tell(status: Omit<SetFlowStatusInput, 'flowId' | 'version'>): Promise<void> {
    const { flow, settings } = this.input;
    this.version += 1;
    await runCalls(settings).setFlowStatus.executeWithOptions({ summary: status.status }, [
      { flowId: flow.flowId, version: this.version, ...status },
    ]);
  }
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
