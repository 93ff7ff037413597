import type { Response } from 'express';
import { SseWriter } from './sse-writer.js';

/** An event of any stream. */
export interface StreamedEvent {
  /** Ascending: the id of the server-sent event. */
  sequence: number;
  type: string;
}

/** Events of ours as server-sent events. */
export class EventStream {
  private readonly writer: SseWriter;

  constructor(response: Response, signal: AbortSignal) {
    this.writer = new SseWriter(response, signal);
  }

  /** Writes a page of events; for an empty one a heartbeat, if it is time for one. */
  async write(events: readonly StreamedEvent[]): Promise<void> {
    if (events.length > 0) return this.writer.send(events.map(format).join(''));
    await this.writer.beat(': heartbeat\n\n');
  }
}

function format(event: StreamedEvent): string {
  return `id: ${event.sequence}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
