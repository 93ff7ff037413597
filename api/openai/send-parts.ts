import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import type { Response } from 'express';
import { redact, redactKnownIn } from '../../infra/redaction/redact.js';
import type { ApiErrorBody } from '../common/api-error.js';
import { goneSignal } from '../common/gone-signal.js';
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
  const gone = goneSignal(response);
  const writer = new SseWriter(response, gone);
  try {
    await writer.send(form.begin());
    for await (const parts of follow(gone)) {
      if (parts.length === 0) await writer.beat(HEARTBEAT);
      else await writer.send(parts.map((part) => format(form, part)).join(''));
    }
  } catch (error) {
    if (!gone.aborted) await writer.send(form.failed(told(error)));
  }
  response.end();
}

function format(form: StreamForm, part: FlowPart): string {
  return 'answer' in part ? form.answer(part) : form.reasoning(part.reasoning);
}

function told(error: unknown): ToldError {
  const answer = toApiError(error);
  if (answer.status >= 500) logger.error(redact(inspect(error)));
  return redactKnownIn(answer.toBody().error);
}
