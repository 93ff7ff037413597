import { once } from 'node:events';
import type { Response } from 'express';
import { liftDeadline } from '../common/deadline.middleware.js';

/** An event of any stream. */
export interface StreamedEvent {
  /** Ascending: the id of the server-sent event. */
  sequence: number;
  type: string;
}

/** Proxies and clients drop connections that are silent for long. */
const HEARTBEAT_MS = 10_000;

export const STREAM_BOUNDS = {
  /** A reader that takes nothing for this long, although something waits for it, is gone. */
  stalledMs: 30_000,
};

/** Writes server-sent events to a response, at the pace of its reader. It has no deadline. */
export class EventStream {
  private lastWrite = Date.now();

  constructor(
    private readonly response: Response,
    private readonly signal: AbortSignal,
  ) {
    liftDeadline(response);
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
  }

  /** Writes a page of events; for an empty one a heartbeat, if it is time for one. */
  async write(events: readonly StreamedEvent[]): Promise<void> {
    if (events.length > 0) return this.send(events.map(format).join(''));
    if (Date.now() - this.lastWrite >= HEARTBEAT_MS) await this.send(': heartbeat\n\n');
  }

  private async send(text: string): Promise<void> {
    this.lastWrite = Date.now();
    if (this.response.write(text) || this.signal.aborted) return;
    const stalled = setTimeout(() => this.response.destroy(), STREAM_BOUNDS.stalledMs);
    try {
      await once(this.response, 'drain', { signal: this.signal });
    } finally {
      clearTimeout(stalled);
    }
  }
}

function format(event: StreamedEvent): string {
  return `id: ${event.sequence}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
