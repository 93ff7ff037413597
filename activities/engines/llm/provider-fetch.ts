import { Agent } from 'undici';
import { boundedFetch } from '../../http/bounded-body.js';

/** A call may think long before its first byte: its own timeout decides when it has taken too long. */
const WAIT_MS = 15 * 60 * 1000;
/** Of an answer. The longest text that a model writes has a few hundred kilobytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/** What OpenAI, Anthropic and their proxies call the errors that have a status of their own elsewhere. */
const STATUS_OF: Readonly<Record<string, number>> = {
  api_error: 500,
  internal_server_error: 500,
  overloaded_error: 529,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  server_error: 500,
};

/** Thrown when an answer of a provider holds no reply. The message says what it holds instead. */
class NoReply extends Error {
  override readonly name = 'NoReply';
}

/**
 * The fetch of the AI SDK's providers: patient, bounded, and between them and what servers really send with status 200. An
 * error in the place of a reply becomes an answer of its own status, counts of tokens written as texts become numbers, and
 * a text in parts becomes one.
 */
export function providerFetch(): typeof globalThis.fetch {
  const fetch = boundedFetch(MAX_BYTES, new Agent({ headersTimeout: WAIT_MS, bodyTimeout: WAIT_MS }));
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.status !== 200) return response;
    const text = await response.text();
    const body = parsed(text);
    const status = statusOfError(body);
    if (status === undefined) mend(body);
    return new Response(body === undefined ? text : JSON.stringify(body), {
      status: status ?? 200,
      headers: response.headers,
    });
  };
}

/** Undefined for what is not JSON, which the SDK refuses. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of an error that stands in an answer instead of a reply, or in its only choice. */
function statusOfError(body: unknown): number | undefined {
  const error = at(body, 'error') ?? at(firstOf(at(body, 'choices')), 'error');
  if (typeof error !== 'object' || error === null) return undefined;
  const named = [at(error, 'code'), at(error, 'status'), at(error, 'type')].map(statusOf);
  return named.find((status) => status !== undefined);
}

function statusOf(code: unknown): number | undefined {
  const status = STATUS_OF[String(code)] ?? Number(code);
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined;
}

/** @throws NoReply */
function mend(body: unknown): void {
  const choices = at(body, 'choices');
  if (Array.isArray(choices) && choices.length === 0) throw new NoReply('`choices` is empty');
  for (const name of ['usage', 'usageMetadata']) countsAsNumbers(at(body, name));
  const message = at(firstOf(choices), 'message') as { content?: unknown } | undefined;
  const parts = at(message, 'content');
  if (Array.isArray(parts)) message!.content = parts.map(textOf).join('');
}

function textOf(part: unknown): string {
  const text = at(part, 'text');
  return typeof text === 'string' ? text : '';
}

function countsAsNumbers(usage: unknown): void {
  if (typeof usage !== 'object' || usage === null) return;
  for (const [name, count] of Object.entries(usage)) {
    if (typeof count === 'string' && /^\d+$/.test(count)) (usage as Record<string, unknown>)[name] = Number(count);
    else countsAsNumbers(count);
  }
}

function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined;
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}
