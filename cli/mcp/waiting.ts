import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';

export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** How long a call waits. Assistants give a call up after 60 s, unless they asked to be told of its progress. */
export const PATIENCE = { silentMs: 45_000, toldMs: 15 * 60_000, heartbeatMs: 10_000 };

/** A call that waits: it tells its progress, and ends with its patience or when it is cancelled. */
export class Waiting {
  private readonly progressToken: string | number | undefined;
  private readonly beat: NodeJS.Timeout;
  private progress = 0;
  private last = '';
  readonly signal: AbortSignal;

  constructor(private readonly extra: Extra) {
    this.progressToken = extra._meta?.progressToken;
    const patience = this.progressToken === undefined ? PATIENCE.silentMs : PATIENCE.toldMs;
    this.signal = AbortSignal.any([extra.signal, AbortSignal.timeout(patience)]);
    this.beat = setInterval(() => this.tell(this.last), PATIENCE.heartbeatMs);
  }

  /** A line for whoever watches the call. */
  tell(message: string): void {
    this.last = message;
    if (this.progressToken === undefined || this.extra.signal.aborted) return;
    this.progress += 1;
    const params = { progressToken: this.progressToken, progress: this.progress, message };
    // An assistant that has left is told nothing more.
    void this.extra.sendNotification({ method: 'notifications/progress', params }).catch(() => undefined);
  }

  end(): void {
    clearInterval(this.beat);
  }
}

/** Waits within the patience of a call. */
export async function waiting<T>(extra: Extra, wait: (waiting: Waiting) => Promise<T>): Promise<T> {
  const call = new Waiting(extra);
  try {
    return await wait(call);
  } finally {
    call.end();
  }
}
