import { types } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import { type Dispatcher, request } from 'undici';
import type { z } from 'zod';
import { FailureType } from '../../../contracts/failures.js';
import { redact, redactedStart } from '../../../infra/redaction/redact.js';
import { isOutage, OutageType } from '../../failures/outage.js';
import { readBody } from './read-body.js';
import { retryAfterMs } from '../../http/retry-after.js';
import { WebRefused } from './web-errors.js';
import { TimeLimit } from '../../time-limit.js';
import { isTransient } from '../../http/transient-status.js';

const MAX_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
/** Of a server's error, for the message. */
const SHOWN_CHARACTERS = 300;

/** The type of an answer that is not what its service documents: it is asked for again a few times (I14). */
export const SERVICE_ANSWER_INVALID = 'ServiceAnswerInvalid';

export interface ServiceRequest {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: unknown;
}

/**
 * JSON over HTTP to a service that the operator named. It is trusted with its key, so redirects are not followed.
 * Temporal retries: this client tries once.
 */
export class ServiceClient {
  /** @param service its name in messages */
  constructor(private readonly service: string) {}

  /**
   * @throws a retryable ServiceUnavailable if there is no whole answer, and for 408, 409, 425, 429 and 5xx, with the
   * server's `retry-after` as its delay; a ServiceAnswerInvalid, retried a few times, for what is not in `schema`; a
   * ProviderRefused, with the status as its detail, which nothing can mend but the operator, for every other status; the
   * signal's reason if it is aborted. No message holds a key.
   */
  async json<Schema extends z.ZodType>(
    url: URL,
    schema: Schema,
    signal: AbortSignal,
    { method = 'GET', headers = {}, body }: ServiceRequest = {},
  ): Promise<z.infer<Schema>> {
    const limit = new TimeLimit(signal, TIMEOUT_MS);
    try {
      const response = await request(url, {
        method,
        headers: { accept: 'application/json', ...(body !== undefined && JSON_BODY), ...headers },
        body: body === undefined ? null : JSON.stringify(body),
        signal: limit.signal,
      });
      const text = await this.text(response, limit.signal);
      this.checkStatus(response, text);
      return this.parse(text, schema);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApplicationFailure) throw error;
      if (limit.isOver) throw this.unavailable(`no whole answer within ${TIMEOUT_MS / 1000} s`);
      throw isOutage(error) ? this.unavailable(reason(error)) : this.invalid(reason(error));
    } finally {
      limit.end();
    }
  }

  private async text({ body, headers }: Dispatcher.ResponseData, signal: AbortSignal): Promise<string> {
    const encoding = headers['content-encoding'];
    return (await readBody(body, { encoding: encoding?.toString() }, MAX_BYTES, signal)).toString('utf8');
  }

  private checkStatus({ statusCode, headers }: Dispatcher.ResponseData, text: string): void {
    if (statusCode === 200) return;
    const said = `status ${statusCode}: ${redactedStart(text, SHOWN_CHARACTERS)}`;
    if (isTransient(statusCode)) throw this.unavailable(said, retryAfterMs(headers, Date.now()));
    throw ApplicationFailure.create({
      type: FailureType.ProviderRefused,
      message: redact(
        `${this.service} refused a request with ${said}. Check its key, address and plan in the operator's file.`,
      ),
      nonRetryable: true,
      details: [statusCode],
    });
  }

  private parse<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw this.invalid(`it is not JSON: ${redactedStart(text, SHOWN_CHARACTERS)}`);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [{ path, message }] = parsed.error.issues;
    throw this.invalid(`it is of another form than documented: ${path.join('.')}: ${message}`);
  }

  private invalid(what: string): ApplicationFailure {
    return ApplicationFailure.retryable(
      redact(`The answer of ${this.service} cannot be read: ${what}`),
      SERVICE_ANSWER_INVALID,
    );
  }

  private unavailable(what: string, nextRetryDelay?: number): ApplicationFailure {
    return ApplicationFailure.create({
      type: OutageType.ServiceUnavailable,
      message: redact(`${this.service} is not available: ${what}`),
      nonRetryable: false,
      nextRetryDelay,
    });
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

/** undici hides some reasons in the error's cause. */
function reason(error: unknown): string {
  if (error instanceof WebRefused) return `more than ${MAX_BYTES} bytes, or an unknown compression`;
  if (!types.isNativeError(error)) return String(error);
  return types.isNativeError(error.cause) ? `${error.message}: ${error.cause.message}` : error.message;
}
