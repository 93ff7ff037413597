import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../contracts/failures.js';
import { BoundedError } from '../failures/defect.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { redact } from '../../infra/redaction/redact.js';
import { Outage } from '../failures/outage.js';
import { isTransient } from '../http/transient-status.js';

/** Thrown when the policy server cannot be reached or has trouble of its own: retried (I2). */
export class PolicyServerUnavailable extends Outage {
  override name = 'PolicyServerUnavailable';
  constructor(reason: string) {
    super(`The policy server did not answer: ${redact(reason)}`);
  }
}

/** Thrown when an answer of the policy server breaks its contract (I1, I11): never used; a few times asked for again. */
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
export class PolicyServerMisconfigured extends Outage {
  override name = 'PolicyServerMisconfigured';
  constructor(reason: string) {
    super(`The policy server cannot be used as it was started: ${redact(reason)}`);
  }
}

/**
 * Thrown when the server has no such policy, because its files are gone or damaged, or when the policy's logits are not
 * finite. It comes again as long as nobody does anything about the policy, so it is retried a few times only (I14).
 */
export class PolicyUnusable extends BoundedError {
  override name = 'PolicyUnusable';
  constructor(reason: string) {
    super(FailureType.PolicyUnusable, redact(reason));
  }
}

/** The embedded server's codes of answers that are about the policy and not about the server. */
const ABOUT_THE_POLICY = new Set(['policy_not_loaded', 'non_finite_logits']);

/** The failure that an HTTP error answer of the policy server stands for. */
export function classifyRefusal(status: number, code: string | undefined, message: string): Error {
  if (code === 'context_length_exceeded') return nonRetryable(FailureType.PromptTooLong, message);
  if (code !== undefined && ABOUT_THE_POLICY.has(code)) return new PolicyUnusable(message);
  if (isTransient(status)) return new PolicyServerUnavailable(`${status} ${code ?? ''} ${message}`);
  return nonRetryable(FailureType.BadConfiguration, `The policy server refused the request (${status}): ${message}`);
}

export function isPromptTooLong(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === FailureType.PromptTooLong;
}
