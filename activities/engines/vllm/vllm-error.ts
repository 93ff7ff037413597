import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import type { JsonAnswer } from '../json-http.js';
import { isTransient } from '../../http/transient-status.js';
import { PolicyServerMisconfigured, PolicyServerUnavailable, PolicyUnusable } from '../policy-errors.js';

/** An error answer of vLLM. Its shape has changed over the versions; the fields that it has are read. */
export interface VllmError {
  status: number;
  message: string;
  /** For example `NotFoundError`, `BadRequestError`. */
  type?: string;
  /** The request's field that is wrong; `input_tokens` for a prompt that is too long, in newer versions. */
  param?: string;
}

/** Reads `{error: {message, type, param}}`, the flat form of older versions, `{error: "text"}` and `{detail: "text"}`. */
export function readError({ status, body }: JsonAnswer): VllmError {
  const flat = asRecord(body);
  const fields = typeof flat.error === 'object' ? asRecord(flat.error) : flat;
  const message = [fields.message, flat.error, flat.detail].find((text) => typeof text === 'string');
  return {
    status,
    message: message ?? 'no error object in the body',
    type: text(fields.type),
    param: text(fields.param),
  };
}

/** The route exists and the model or adapter does not. */
export function isUnknownModel({ status, type, message }: VllmError): boolean {
  return status === 404 && (type === 'NotFoundError' || message.includes('does not exist'));
}

/** The server has no such route: what it belongs to was not switched on. */
export function isUnknownRoute(error: VllmError): boolean {
  return error.status === 404 && !isUnknownModel(error);
}

const TOO_LONG =
  /maximum context length|maximum model length|too long to fit|max_model_len|max_tokens must be at least 1, got -/i;

/** What Python's JSON says of a log-prob that is not a number, and torch of probabilities that are none. */
const NOT_FINITE = /out of range float values are not JSON compliant|contains either `?inf`?, `?nan`?/i;

/** The failure that an error answer to a completion stands for. */
export function completionRefused(error: VllmError): Error {
  const { status, message, param } = error;
  if (status >= 400 && status <= 500 && (param === 'input_tokens' || TOO_LONG.test(message))) {
    return nonRetryable(FailureType.PromptTooLong, message);
  }
  if (NOT_FINITE.test(message)) return new PolicyUnusable(`the policy's logits are not finite: ${message}`);
  return refused(error);
}

/** The failure that any other error answer stands for. */
export function refused({ status, message }: VllmError): Error {
  if (isTransient(status)) return new PolicyServerUnavailable(`${status} ${message}`);
  if (status === 401 || status === 403) {
    return new PolicyServerMisconfigured(`${status} ${message}: AGENTFLOW_POLICY_SERVER_KEY must be its --api-key`);
  }
  return nonRetryable(FailureType.BadConfiguration, `vLLM refused the request (${status}): ${message}`);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
