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

const TRANSIENT = new Set([408, 409, 425, 429]);

/** The failure that an HTTP error answer of the policy server stands for. */
export function classifyRefusal(status: number, code: string | undefined, message: string): Error {
  if (code === 'context_length_exceeded') return nonRetryable(FailureType.PromptTooLong, message);
  if (status >= 500 || TRANSIENT.has(status)) return new PolicyServerUnavailable(`${status} ${code ?? ''} ${message}`);
  return nonRetryable(FailureType.BadConfiguration, `The policy server refused the request (${status}): ${message}`);
}

export function isPromptTooLong(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === FailureType.PromptTooLong;
}
