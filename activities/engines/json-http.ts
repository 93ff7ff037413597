import { Agent, fetch } from 'undici';
import { PolicyServerUnavailable } from './policy-errors.js';

export interface JsonAnswer {
  status: number;
  /** Undefined for what is not JSON: the schemas refuse it with a message. */
  body: unknown;
}

/** A request may wait long behind others: the activity's own timeout decides when it has waited too long. */
const WAIT_MS = 24 * 60 * 60 * 1000;

/** JSON over HTTP to one server. */
export class JsonHttp {
  private readonly dispatcher = new Agent({ headersTimeout: WAIT_MS, bodyTimeout: WAIT_MS });

  /** @param key sent as a bearer token, where the server wants one */
  constructor(
    private readonly baseUrl: string,
    private readonly key?: string,
  ) {}

  /** @throws PolicyServerUnavailable where there is no answer; the signal's reason where it is aborted */
  async get(path: string, signal: AbortSignal): Promise<JsonAnswer> {
    return this.send({ method: 'GET' }, path, signal);
  }

  /** @throws PolicyServerUnavailable where there is no answer; the signal's reason where it is aborted */
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
    const authorization = this.key === undefined ? {} : { authorization: `Bearer ${this.key}` };
    try {
      const response = await fetch(new URL(path, this.baseUrl), {
        ...request,
        headers: { 'content-type': 'application/json', ...authorization },
        dispatcher: this.dispatcher,
        signal,
      });
      const text = await response.text();
      return { status: response.status, body: parseJson(text) };
    } catch (error) {
      signal.throwIfAborted();
      throw new PolicyServerUnavailable(describe(error));
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
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
