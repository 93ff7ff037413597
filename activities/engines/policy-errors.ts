import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../workflows/contracts/failures.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { redact } from '../failures/redact.js';

/** Thrown when the policy server cannot be reached, has trouble of its own or lacks the policy now: retried (I2). */
export class PolicyServerUnavailable extends Error {
  override name = 'PolicyServerUnavailable';
  constructor(reason: string) {
    super(`The policy server did not answer: ${redact(reason)}`);
  }
}

/** Thrown when an answer of the policy server breaks its contract (I1, I11): never used, retried. */
export class PolicyServerAnswerInvalid extends Error {
  override name = 'PolicyServerAnswerInvalid';
  constructor(reason: string) {
    super(`The policy server's answer cannot be used: ${redact(reason)}`);
  }
}

/**
 * Thrown when the policy server was started in a way that would falsify training (I7): refused before anything is
 * sampled. Retried, because its operator can start it again in the right way while runs wait.
 */
export class PolicyServerMisconfigured extends Error {
  override name = 'PolicyServerMisconfigured';
  constructor(reason: string) {
    super(`The policy server cannot be used as it was started: ${redact(reason)}`);
  }
}

const TRANSIENT = new Set([408, 409, 425, 429]);

/** Whether an HTTP status says that the same request may be answered later. */
export function isTransient(status: number): boolean {
  return status >= 500 || TRANSIENT.has(status);
}

/** The failure that an HTTP error answer of the policy server stands for. */
export function classifyRefusal(status: number, code: string | undefined, message: string): Error {
  if (code === 'context_length_exceeded') return nonRetryable(FailureType.PromptTooLong, message);
  if (isTransient(status)) return new PolicyServerUnavailable(`${status} ${code ?? ''} ${message}`);
  return nonRetryable(FailureType.BadConfiguration, `The policy server refused the request (${status}): ${message}`);
}

export function isPromptTooLong(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === FailureType.PromptTooLong;
}
