import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import type { Response } from 'express';
import { redact, redactKnownIn } from '../../infra/redaction/redact.js';
import { ApiError, type ApiErrorBody } from '../common/api-error.js';
import { toApiError } from '../common/to-api-error.js';
import { SseWriter } from '../events/sse-writer.js';
import type { FlowAnswer, FlowPart } from './flow-answers.service.js';

export type ToldError = ApiErrorBody['error'];

/** How one of OpenAI's endpoints streams. Each returns whole server-sent events. */
export interface StreamForm {
  begin(): string;
  reasoning(text: string): string;
  answer(answer: FlowAnswer): string;
  failed(error: ToldError): string;
}

/**
 * A comment without the blank line that would end an event: official clients have taken a comment and a blank line for
 * an event without data. For the same reason no event has an id.
 */
const HEARTBEAT = ': heartbeat\n';

const logger = new Logger('OpenAI');

/**
 * Streams a flow until its answer. The flow goes on if the reader leaves. What ends the stream early is told in it:
 * nothing else can be, once it has begun.
 */
export async function sendParts(
  response: Response,
  form: StreamForm,
  follow: (signal: AbortSignal) => AsyncIterable<readonly FlowPart[]>,
): Promise<void> {
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  const writer = new SseWriter(response, closed.signal);
  try {
    await writer.send(form.begin());
    for await (const parts of follow(closed.signal)) {
      if (parts.length === 0) await writer.beat(HEARTBEAT);
      else await writer.send(parts.map((part) => format(form, part)).join(''));
    }
  } catch (error) {
    if (!closed.signal.aborted) await writer.send(form.failed(told(error)));
  }
  response.end();
}

function format(form: StreamForm, part: FlowPart): string {
  return 'answer' in part ? form.answer(part) : form.reasoning(part.reasoning);
}

function told(error: unknown): ToldError {
  const known = toApiError(error);
  if (!known || known.status >= 500) logger.error(redact(inspect(error)));
  const words = 'The API failed on this request; its log says why.';
  return redactKnownIn((known ?? new ApiError(500, 'server_error', 'internal_error', words)).toBody().error);
}
