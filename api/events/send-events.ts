import type { Request, Response } from 'express';
import { badRequest } from '../common/api-error.js';
import { goneSignal } from '../common/gone-signal.js';
import { MAX_INDEX, type List, type NumberPageQuery } from '../common/list.dto.js';
import { EventStream, type StreamedEvent } from './event-stream.js';

/** The events of a kind of submission. */
export interface EventSource {
  list(project: string, id: string, page: NumberPageQuery): Promise<List<StreamedEvent>>;
  /** Whether it has ended and has no event after this sequence, and so never will have one. */
  isOver(project: string, id: string, after: number): Promise<boolean>;
  /** Pages of events as they come, until it has ended or `signal` is aborted. */
  follow(project: string, id: string, after: number, signal: AbortSignal): AsyncIterable<readonly StreamedEvent[]>;
}

export function wantsStream(request: Request): boolean {
  return request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
}

/**
 * Answers with a page of events, or with the stream of those that the reader does not know: 204 if there are none left.
 */
export async function listOrFollow(
  source: EventSource,
  { project, id, page }: { project: string; id: string; page: NumberPageQuery },
  request: Request,
  response: Response,
): Promise<void> {
  response.vary('Accept');
  if (!wantsStream(request)) {
    response.json(await source.list(project, id, page));
    return;
  }
  const after = readLastEventId(request) ?? page.after ?? 0;
  if (await source.isOver(project, id, after)) response.status(204).end();
  else await sendEvents(response, (signal) => source.follow(project, id, after, signal));
}

/**
 * Sends pages of events as they come, until there are no more or the reader has left.
 * @param follow pages after the last event that the reader knows; an empty one if there is nothing new
 */
export async function sendEvents(
  response: Response,
  follow: (signal: AbortSignal) => AsyncIterable<readonly StreamedEvent[]>,
): Promise<void> {
  const gone = goneSignal(response);
  const stream = new EventStream(response, gone);
  try {
    for await (const events of follow(gone)) await stream.write(events);
    response.end();
  } catch (error) {
    if (!gone.aborted) throw error;
  }
}

/** @throws ApiError 400 if the header `Last-Event-ID` is not a sequence */
export function readLastEventId(request: Request): number | undefined {
  const header = request.get('Last-Event-ID');
  if (header === undefined || header === '') return undefined;
  if (/^\d{1,10}$/.test(header) && Number(header) <= MAX_INDEX) return Number(header);
  const message = 'Last-Event-ID must be the id of an event of this stream: its sequence.';
  throw badRequest('invalid_last_event_id', message, { param: 'Last-Event-ID' });
}
