import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { runCalls } from './calls.js';
import type { SetFlowStatusInput } from '../contracts/submitted-flow.js';
import { FailureType, type RunFailure } from '../contracts/failures.js';
import type { AgentFlowInput, AgentFlowResult, ExcludedOutcome } from '../contracts/flow.js';
import { lastFailure, listedFailure } from './failed-calls.js';
import { isScored } from './outcomes.js';
import { Pauses } from './pauses.js';
import { rowWriter } from './row-writer.js';

/** What is said of a flow that came to no answer for a reason outside of it. */
const EXCLUSIONS: Record<ExcludedOutcome, string> = {
  infrastructure: 'A call went on failing for longer than the operator lets it.',
  group_deadline: 'The flow was not finished in time.',
  prompt_too_long: 'A prompt does not fit into the context of the model that it is for.',
  undecided: 'No rule could decide about the answer.',
};

/**
 * What pauses a submitted flow; everything else of the closed list ends it, because the question itself is in the way.
 */
const PAUSING: readonly string[] = [FailureType.BudgetSpent, FailureType.PolicyUnusable, FailureType.Defect];

/** A flow that somebody submitted by itself, for which no run waits: its row is told how it begins, pauses and ends. */
export class SubmittedFlow {
  private readonly pauses: Pauses;
  private version: number;
  private reason = '';

  constructor(private readonly input: AgentFlowInput) {
    const { version, budgets } = input.revived ?? { version: 0, budgets: 1 };
    this.version = version;
    this.pauses = new Pauses((status, failure) => this.tell({ status, failure }), pausesFor, budgets);
  }

  /** How often `flow.budget` was granted. */
  get budgets(): number {
    return this.pauses.budgets;
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
    await CancellationScope.nonCancellable(() => this.tell({ result, ...verdictOn(result, this.reason) }));
    return result;
  }

  /** The call that kept the flow from an answer. Whoever asked the question is told its name and its failure. */
  excludedBy(error: unknown): void {
    this.reason = lastFailure(error).message;
  }

  /** Makes a call, and makes it again after each pause. */
  attempt<T>(call: () => Promise<T>): Promise<T> {
    return this.pauses.attempt(call);
  }

  private async tell(status: Omit<SetFlowStatusInput, 'flowId' | 'version' | 'writer'>): Promise<void> {
    const { flow, settings } = this.input;
    this.version += 1;
    await runCalls(settings).setFlowStatus.executeWithOptions({ summary: status.status }, [
      { flowId: flow.flowId, version: this.version, budgets: this.budgets, writer: rowWriter(), ...status },
    ]);
  }
}

function pausesFor(error: unknown): RunFailure | undefined {
  const failure = listedFailure(error);
  return failure && PAUSING.includes(failure.type) ? failure : undefined;
}

function endOf(error: unknown): Pick<SetFlowStatusInput, 'status' | 'failure'> {
  if (isCancellation(error)) return { status: 'cancelled' };
  return { status: 'failed', failure: lastFailure(error) };
}

function verdictOn(
  result: AgentFlowResult,
  reason: string,
): Pick<SetFlowStatusInput, 'status'> & { failure?: RunFailure } {
  if (isScored(result)) return { status: 'completed' };
  const type = result.outcome as ExcludedOutcome;
  return { status: 'failed', failure: { type, message: `${EXCLUSIONS[type]} ${reason}`.trim() } };
}
