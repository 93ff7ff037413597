import { APICallError } from '@ai-sdk/provider';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../../workflows/contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { redact } from '../../failures/redact.js';
import { retryAfterMs } from '../../tools/http/retry-after.js';
import { isTransient } from '../policy-errors.js';

/** Types of failures that Temporal retries: outages, never the planner's mistakes (I2). */
export const PROVIDER_UNAVAILABLE = 'ProviderUnavailable';
export const PROVIDER_ANSWER_INVALID = 'ProviderAnswerInvalid';

/** Enough of a provider's words to understand it. */
const QUOTED = 500;
/** How providers say that a prompt does not fit; each with those that say it so, or once did. */
const TOO_LONG = new RegExp(
  [
    // OpenAI, Azure, DeepSeek, vLLM and most that are compatible with them.
    'context.{0,20}length|maximum context|context window|input tokens exceed',
    // Anthropic, also with the reply's tokens.
    'prompt is too long|exceed context limit',
    // Google.
    'input token count.{0,40}exceeds',
    // xAI.
    'maximum prompt length',
    // Bedrock.
    'too many (?:input )?tokens|input.{0,20}too long',
    // Together, and others on text-generation-inference.
    '`inputs` tokens \\+ `max_new_tokens` must be',
  ].join('|'),
  'i',
);
const TOO_LONG_STATUSES = new Set([400, 413, 422]);
const FILTERED = /content_filter|content management policy|responsible.?ai.?policy/i;

/** What became of a call that threw. */
export type CallFailure = { filtered: true } | { filtered: false; error: Error };

/**
 * Classifies what the AI SDK threw: 408, 409, 425, 429, 5xx, no connection and half an answer are retried, after
 * `retry-after` where the provider says so; a provider's content filter is a reply without text; the rest is refused.
 */
export function classifyProviderError(error: unknown, model: string): CallFailure {
  if (!APICallError.isInstance(error)) return failed(unavailable(model, messageOf(error)));
  const { statusCode: status, responseBody = '', responseHeaders = {} } = error;
  if (status === undefined) return failed(unavailable(model, messageOf(error)));
  const said = `${status}: ${quote(responseBody) || error.message}`;
  if (isTransient(status)) return failed(unavailable(model, said, retryAfterMs(responseHeaders, Date.now())));
  if (status < 400) return failed(answerInvalid(model, `${error.message} ${quote(responseBody)}`));
  if (status === 400 && FILTERED.test(responseBody)) return { filtered: true };
  if (TOO_LONG_STATUSES.has(status) && TOO_LONG.test(responseBody)) {
    return failed(nonRetryable(FailureType.PromptTooLong, `${model}: ${said}`));
  }
  return failed(nonRetryable(FailureType.ProviderRefused, `The provider of ${model} refused the request: ${said}`));
}

export function unavailable(model: string, reason: string, nextRetryDelay?: number): Error {
  return ApplicationFailure.create({
    type: PROVIDER_UNAVAILABLE,
    message: redact(`The provider of ${model} did not answer: ${reason}`),
    nextRetryDelay,
  });
}

function answerInvalid(model: string, reason: string): Error {
  return ApplicationFailure.create({
    type: PROVIDER_ANSWER_INVALID,
    message: redact(`The answer of the provider of ${model} cannot be read: ${reason}`),
  });
}

function failed(error: Error): CallFailure {
  return { filtered: false, error };
}

function quote(body: string): string {
  return body.replace(/\s+/g, ' ').trim().slice(0, QUOTED);
}

/** fetch hides why a connection failed in the error's cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return (error.message + cause).slice(0, QUOTED);
}
