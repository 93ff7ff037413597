import { types } from 'node:util';
import { Agent } from 'undici';
import { isOutage } from '../failures/outage.js';
import { BodyTooLarge, boundedFetch } from '../http/bounded-body.js';
import { PolicyServerAnswerInvalid, PolicyServerUnavailable } from './policy-errors.js';

export interface JsonAnswer {
  status: number;
  /** Undefined for what is not JSON: the schemas refuse it with a message. */
  body: unknown;
}

/** A request may wait long behind others: the activity's own timeout decides when it has waited too long. */
const WAIT_MS = 24 * 60 * 60 * 1000;

/** The token ids of a context of a million, and the log-probs of an answer of a hundred thousand. */
const MAX_BYTES = 32 * 1024 * 1024;

/** JSON over HTTP to one server. */
export class JsonHttp {
  private readonly dispatcher = new Agent({ headersTimeout: WAIT_MS, bodyTimeout: WAIT_MS });
  private readonly fetch = boundedFetch(MAX_BYTES, this.dispatcher);

  /** @param key sent as a bearer token, where the server wants one */
  constructor(
    private readonly baseUrl: string,
    private readonly key?: string,
  ) {}

  /** @throws PolicyServerUnavailable where there is no answer, PolicyServerAnswerInvalid where it is too large; the signal's reason where it is aborted */
  async get(path: string, signal: AbortSignal): Promise<JsonAnswer> {
    return this.send({ method: 'GET' }, path, signal);
  }

  /** @throws PolicyServerUnavailable where there is no answer, PolicyServerAnswerInvalid where it is too large; the signal's reason where it is aborted */
  async post(path: string, body: unknown, signal: AbortSignal): Promise<JsonAnswer> {
    return this.send({ method: 'POST', body: JSON.stringify(body) }, path, signal);
  }

  async close(): Promise<void> {
    await this.dispatcher.close();
  }

  private async send(
    request: { method: string; body?: string },
    path: string,
    signal: AbortSignal,
  ): Promise<JsonAnswer> {
    const headers = new Headers({ 'content-type': 'application/json' });
    if (this.key !== undefined) headers.set('authorization', `Bearer ${this.key}`);
    try {
      const response = await this.fetch(new URL(path, this.baseUrl), { ...request, headers, signal });
      const text = await response.text();
      return { status: response.status, body: parseJson(text) };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof BodyTooLarge) throw new PolicyServerAnswerInvalid(error.message);
      throw isOutage(error) ? new PolicyServerUnavailable(describe(error)) : error;
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch hides why a connection failed in the error's cause. */
function describe(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  return types.isNativeError(error.cause) ? `${error.message}: ${error.cause.message}` : error.message;
}
