import { APICallError } from '@ai-sdk/provider';
import { ApplicationFailure } from '@temporalio/common';
import { FailureType } from '../../../contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import { redact, redactedStart } from '../../../infra/redaction/redact.js';
import { isOutage, OutageType } from '../../failures/outage.js';
import { retryAfterMs } from '../../http/retry-after.js';
import { isTransient } from '../../http/transient-status.js';

/** The type of an answer that breaks the provider's own form: it is asked for again a few times (I14). */
const PROVIDER_ANSWER_INVALID = 'ProviderAnswerInvalid';

/** Of causes within causes. */
const DEPTH = 5;
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

/** A language model and its provider, by their registered names. */
export interface NamedModel {
  name: string;
  provider: string;
}

/** What became of a call that threw. */
export type CallFailure = { filtered: true } | { filtered: false; error: Error };

/**
 * Classifies what the AI SDK threw: 408, 409, 425, 429, 5xx, no connection and half an answer are retried, after
 * `retry-after` if the provider says so; an answer that
 * cannot be read is asked for again a few times; a provider's content filter is a reply without text; the rest is refused.
 */
export function classifyProviderError(error: unknown, model: NamedModel): CallFailure {
  if (!APICallError.isInstance(error) || error.statusCode === undefined) {
    return failed((isOutage(error) ? unavailable : answerInvalid)(model, messageOf(error)));
  }
  const { statusCode: status, responseBody = '', responseHeaders = {} } = error;
  const said = `${status}: ${quote(responseBody) || error.message}`;
  if (isTransient(status)) return failed(unavailable(model, said, retryAfterMs(responseHeaders, Date.now())));
  if (isRedirect(status))
    return failed(nonRetryable(FailureType.ProviderRefused, redirected(model, status, responseHeaders)));
  if (status < 400) return failed(answerInvalid(model, `${unreadable(error)} ${quote(responseBody)}`));
  if (status === 400 && FILTERED.test(responseBody)) return { filtered: true };
  if (TOO_LONG_STATUSES.has(status) && TOO_LONG.test(responseBody)) {
    return failed(nonRetryable(FailureType.PromptTooLong, `${model.name}: ${said}`));
  }
  return failed(nonRetryable(FailureType.ProviderRefused, `The ${shown(model)} refused the request: ${said}`));
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

function redirected(model: NamedModel, status: number, { location = 'no address' }: Record<string, string>): string {
  const address = redactedStart(location, QUOTED);
  return `The ${shown(model)} redirects to ${address} (${status}). Redirects are not followed: set base_url to the address that answers.`;
}

export function unavailable(model: NamedModel, reason: string, nextRetryDelay?: number): Error {
  return ApplicationFailure.create({
    type: OutageType.ProviderUnavailable,
    message: redact(`The ${shown(model)} did not answer: ${reason}`),
    nextRetryDelay,
  });
}

function answerInvalid(model: NamedModel, reason: string): Error {
  return ApplicationFailure.create({
    type: PROVIDER_ANSWER_INVALID,
    message: redact(`The answer of the ${shown(model)} cannot be read: ${reason}`),
  });
}

function shown({ name, provider }: NamedModel): string {
  return `provider ${provider} of the language model ${name}`;
}

/** What in an answer is not as its provider documents it: the SDK hides the place in the causes of its error. */
function unreadable(error: Error): string {
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < DEPTH;
    cause = cause.cause, depth += 1
  ) {
    const { issues } = cause as { issues?: { path: PropertyKey[]; message: string }[] };
    if (Array.isArray(issues)) return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  }
  return messageOf(error);
}

function failed(error: Error): CallFailure {
  return { filtered: false, error };
}

function quote(body: string): string {
  return redactedStart(body.replace(/\s+/g, ' ').trim(), QUOTED);
}

/** fetch hides why a connection failed in the error's cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return redactedStart(error.message + cause, QUOTED);
}
