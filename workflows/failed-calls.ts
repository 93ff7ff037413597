import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  isCancellation,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { RunFailure } from './contracts/agent-activities.js';
import { FailureType } from './contracts/failures.js';

const closedList: string[] = Object.values(FailureType);

/** The closed-list failure at the bottom of a failed activity or child, if that is what ended it. */
export function listedFailure(error: unknown): RunFailure | undefined {
  const cause = rootOf(error);
  if (cause instanceof ApplicationFailure && cause.type && closedList.includes(cause.type)) {
    const [details] = (cause.details ?? []) as { groups?: number[] }[];
    return { type: cause.type, message: cause.message, groups: details?.groups };
  }
  return undefined;
}

/** A child, or a child of one, that somebody terminated or cancelled by hand: what it did can be taken again. */
export function endedByHand(error: unknown): RunFailure | undefined {
  if (!(error instanceof ChildWorkflowFailure) || CancellationScope.current().consideredCancelled) return undefined;
  const byHand = isCancellation(error) || rootOf(error) instanceof TerminatedFailure;
  return byHand ? { type: 'Unexpected', message: explain(error) } : undefined;
}

/** What failed, from the outermost call to the reason: `agentFlow run-a/1/0/1: planTurn: connection refused`. */
export function explain(error: unknown): string {
  const calls: string[] = [];
  let cause = error;
  for (; isCallFailure(cause) && cause.cause; cause = cause.cause) calls.push(nameOf(cause));
  return [...calls, cause instanceof Error ? cause.message : String(cause)].join(': ');
}

function nameOf(failed: ActivityFailure | ChildWorkflowFailure): string {
  if (failed instanceof ActivityFailure) return failed.activityType;
  const { workflowId } = failed.execution as { workflowId?: string };
  return `${failed.workflowType} ${workflowId}`;
}

export function failedWith(error: unknown, type: FailureType): boolean {
  return listedFailure(error)?.type === type;
}

/** A call that went on failing for infrastructure reasons until patience was over (I2). */
export function outOfPatience(error: unknown): boolean {
  if (!(error instanceof ActivityFailure) || isCancellation(error) || listedFailure(error)) return false;
  return error.cause instanceof TimeoutFailure || error.cause instanceof ApplicationFailure;
}

/** A call that no worker took in time. */
export function notStarted(error: unknown): boolean {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof TimeoutFailure)) return false;
  return error.cause.timeoutType === 'SCHEDULE_TO_START';
}

function rootOf(error: unknown): unknown {
  let cause = error;
  while (isCallFailure(cause) && cause.cause) cause = cause.cause;
  return cause;
}

function isCallFailure(error: unknown): error is ActivityFailure | ChildWorkflowFailure {
  return error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
}
