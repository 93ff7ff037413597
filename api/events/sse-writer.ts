import { once } from 'node:events';
import type { Response } from 'express';
import { liftDeadline } from '../common/deadline.middleware.js';

export const STREAM_BOUNDS = {
  /** Proxies and clients drop connections that are silent for long. */
  heartbeatMs: 10_000,
  /** A reader that takes nothing for this long, although something waits for it, is gone. */
  stalledMs: 30_000,
};

/** Writes server-sent events to a response, at the pace of its reader. It has no deadline. */
export class SseWriter {
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

  async send(text: string): Promise<void> {
    this.lastWrite = Date.now();
    if (this.response.write(text) || this.signal.aborted) return;
    const stalled = setTimeout(() => this.response.destroy(), STREAM_BOUNDS.stalledMs);
    try {
      await once(this.response, 'drain', { signal: this.signal });
    } finally {
      clearTimeout(stalled);
    }
  }

  /** Sends a comment if nothing was sent for long. */
  async beat(comment: string): Promise<void> {
    if (Date.now() - this.lastWrite >= STREAM_BOUNDS.heartbeatMs) await this.send(comment);
  }
}
