import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  isCancellation,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { FailureType, type RunFailure } from '../contracts/failures.js';

const closedList: string[] = Object.values(FailureType);

/**
 * The closed-list failure at the bottom of a failed activity or child, if that is what ended it. A defect is told with
 * the calls that led to it: nothing else says where to look.
 */
export function listedFailure(error: unknown): RunFailure | undefined {
  const cause = rootOf(error);
  if (cause instanceof ApplicationFailure && cause.type && closedList.includes(cause.type)) {
    const [details] = (cause.details ?? []) as { groups?: number[] }[];
    const message = cause.type === FailureType.Defect ? explain(error) : cause.message;
    return { type: cause.type, message, groups: details?.groups };
  }
  return undefined;
}

/** What is said of a failure that ends a run, a flow or an evaluation. */
export function lastFailure(error: unknown): RunFailure {
  return listedFailure(error) ?? { type: 'Unexpected', message: explain(error) };
}

/** A child, or a child of one, that somebody terminated or cancelled by hand: what it did can be taken again. */
function endedByHand(error: unknown): RunFailure | undefined {
  if (!(error instanceof ChildWorkflowFailure) || CancellationScope.current().consideredCancelled) return undefined;
  const byHand = isCancellation(error) || rootOf(error) instanceof TerminatedFailure;
  return byHand ? { type: 'Unexpected', message: explain(error) } : undefined;
}

/** A child of an earlier life of the same run that has not ended yet: when it has, the work can be taken again. */
function stillOpen(error: unknown): RunFailure | undefined {
  if (!isStillOpen(rootOf(error))) return undefined;
  const message = `${explain(error)}. An execution that an earlier workflow of the run began is still open: resume the run when it has ended`;
  return { type: 'Unexpected', message };
}

/** The error as it was thrown here, or in a child that failed because of it. */
function isStillOpen(cause: unknown): boolean {
  if (cause instanceof WorkflowExecutionAlreadyStartedError) return true;
  return cause instanceof ApplicationFailure && cause.type === WorkflowExecutionAlreadyStartedError.name;
}

/** What pauses a run and an evaluation: somebody looks, mends and resumes, and the same work is taken again. */
export function pausingFailure(error: unknown): RunFailure | undefined {
  return listedFailure(error) ?? endedByHand(error) ?? stillOpen(error);
}

/** What failed, from the outermost call to the reason: `agentFlow run-a/1/0/1: planTurn: connection refused`. */
function explain(error: unknown): string {
  const calls: string[] = [];
  let cause = error;
  for (; (isCallFailure(cause) || cause instanceof TimeoutFailure) && cause.cause; cause = cause.cause) {
    if (isCallFailure(cause)) calls.push(nameOf(cause));
  }
  return [...calls, wordsOf(cause)].join(': ');
}

/** What Temporal says of a call of which no attempt has failed. */
const TIMEOUTS: Record<string, string> = {
  HEARTBEAT: 'its worker was lost, or hung',
  SCHEDULE_TO_CLOSE: 'no answer until patience was over (patience_s in the operator file); it may hang',
  SCHEDULE_TO_START: 'no worker took it in time',
  START_TO_CLOSE: 'an attempt took longer than one may; it may hang',
};

function wordsOf(cause: unknown): string {
  if (cause instanceof TimeoutFailure) return TIMEOUTS[cause.timeoutType ?? ''] ?? cause.message;
  return cause instanceof Error ? cause.message : String(cause);
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
