import type { Response } from 'express';
import { badRequest } from '../common/api-error.js';
import { EventStream, type StreamedEvent } from './event-stream.js';

/**
 * Sends pages of events as they come, until there are no more or the reader has left.
 * @param follow pages after the last one that the reader knows; an empty one where there is nothing new
 */
export async function sendEvents(
  response: Response,
  follow: (signal: AbortSignal) => AsyncIterable<readonly StreamedEvent[]>,
): Promise<void> {
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  const stream = new EventStream(response, closed.signal);
  try {
    for await (const events of follow(closed.signal)) await stream.write(events);
    response.end();
  } catch (error) {
    if (!closed.signal.aborted) throw error;
  }
}

/** @throws ApiError 400 where the header `Last-Event-ID` is not a sequence */
export function parseLastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  const message = 'Last-Event-ID must be the id of an event of this stream: its sequence.';
  throw badRequest('invalid_last_event_id', message, { param: 'Last-Event-ID' });
}
