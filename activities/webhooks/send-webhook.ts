import { types } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { request, type Dispatcher } from 'undici';
import type { AddressRules } from '../../infra/http/addresses.js';
import { guardedUrl, UrlRefused } from '../../infra/http/guarded-url.js';
import { MASK, redactedStart } from '../../infra/redaction/redact.js';
import { retryAfterMs } from '../http/retry-after.js';
import { TimeLimit } from '../time-limit.js';
import { guardedAgent, type Resolve } from '../tools/http/guarded-agent.js';
import { WebRefused } from '../tools/http/web-errors.js';

/** Of an answer's body: the rest is not read. */
const MAX_BYTES = 4_096;
/** Of an answer's body, or of an error, that is kept. */
const KEPT_CHARACTERS = 500;
/** No receiver puts a delivery off for longer. */
const LONGEST_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

export interface SignedMessage {
  /** Of the delivery: the same in every attempt. */
  id: string;
  url: string;
  /** `whsec_…` */
  secret: string;
  body: string;
}

/** What came of an attempt. */
export interface Outcome {
  /** Of the answer, if there was one. */
  status?: number;
  /** How the answer's body begins, without credentials. */
  response?: string;
  /** Why the event is not taken; absent if it is. */
  error?: string;
  /** Whether no later attempt can change it. */
  isFinal?: boolean;
  /** What the receiver asked for. */
  retryAfterMs?: number;
}

/**
 * Signs a message as Standard Webhooks has it, and posts it, to permitted addresses only (I10). Redirects are not followed:
 * only the address that was registered was checked, and a signed message is for nobody else. Whatever the receiver does is an
 * outcome.
 * @throws the signal's reason if it is aborted
 */
export async function sendWebhook(
  message: SignedMessage,
  guard: { addresses: AddressRules; resolve: Resolve; timeoutMs: number },
  signal: AbortSignal,
): Promise<Outcome> {
  const limit = new TimeLimit(signal, guard.timeoutMs);
  const agent = guardedAgent(guard.addresses, guard.resolve, guard.timeoutMs);
  try {
    // Once more: the operator may permit other addresses than when it was registered.
    const url = guardedUrl(message.url, guard.addresses);
    const answer = await request(url, { ...posted(message), dispatcher: agent, signal: limit.signal });
    return toOutcome(answer, hiding(message.secret, await beginningOf(answer.body)));
  } catch (error) {
    signal.throwIfAborted();
    if (limit.isOver) return { error: `the receiver did not answer within ${guard.timeoutMs / 1000} s` };
    return { error: hiding(message.secret, reasonOf(error)), isFinal: isRefusal(error) };
  } finally {
    limit.end();
    await agent.destroy();
  }
}

function posted({ id, secret, body }: SignedMessage) {
  const now = new Date();
  return {
    method: 'POST' as const,
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'agentflow-webhooks',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, now, body),
    },
  };
}

function toOutcome({ statusCode: status, headers }: Dispatcher.ResponseData, response: string): Outcome {
  if (status >= 200 && status < 300) return { status, response };
  const isRedirect = status >= 300 && status < 400;
  const hint = isRedirect ? ': redirects are not followed, register the address that it leads to' : '';
  const error = `the receiver answered with status ${status}${hint}`;
  return { status, response, error, retryAfterMs: retryAfterMs(headers, Date.now(), LONGEST_RETRY_AFTER_MS) };
}

/** The status has said everything that counts: a body that breaks off, or is long, changes nothing. */
async function beginningOf(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_BYTES) break;
    }
  } catch {
    // What has arrived is what is shown.
  }
  return Buffer.concat(chunks).subarray(0, MAX_BYTES).toString('utf8');
}

/** A receiver knows the secret, and may say it. */
function hiding(secret: string, text: string): string {
  const key = secret.replace(/^whsec_/, '');
  return redactedStart(text.replaceAll(key, MASK), KEPT_CHARACTERS);
}

function isRefusal(error: unknown): boolean {
  return error instanceof WebRefused || error instanceof UrlRefused;
}

function reasonOf(error: unknown): string {
  if (isRefusal(error)) {
    return `${(error as Error).message}; the operator's file says what else may be reached (webhooks.addresses)`;
  }
  if (!types.isNativeError(error)) return String(error);
  // An error of several addresses has a code and no message.
  return `the receiver cannot be reached: ${error.message || String((error as NodeJS.ErrnoException).code)}`;
}
