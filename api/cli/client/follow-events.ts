import { setTimeout as sleep } from 'node:timers/promises';
import { ApiRequestError, ApiUnreachable } from './api-errors.js';
import { readServerSentEvents } from './server-sent-events.js';

/** The API sends a heartbeat every ten seconds; a connection silent for longer than this is dead. */
const SILENCE_MS = 30_000;
const RETRY_MS = { first: 250, most: 5_000 };

export interface FollowOptions {
  /** Sequence of the last event that is known. */
  after?: number;
  signal?: AbortSignal;
  /** Told when the connection is lost and will be tried again. */
  onReconnect?: (error: unknown) => void;
}

/** As far as following needs to know it. */
interface FollowedEvent {
  sequence: number;
}

/** Opens the stream after a sequence. */
export type OpenStream = (after: number, signal: AbortSignal) => Promise<Response>;

/**
 * The events of a run or flow, in order and each once, until it is finished. Reconnects with the last id whenever the stream
 * ends or breaks or the API is away; only a refusal (4xx) is thrown.
 */
export async function* followEvents<Event extends FollowedEvent>(
  open: OpenStream,
  options: FollowOptions = {},
): AsyncGenerator<Event, void> {
  let last = options.after ?? 0;
  let wait = RETRY_MS.first;
  while (!options.signal?.aborted) {
    const connection = new Connection(options.signal);
    try {
      const response = await connection.open(open, last);
      if (response.status === 204) return;
      for await (const event of connection.events<Event>(response)) {
        last = event.sequence;
        wait = RETRY_MS.first;
        yield event;
      }
      await pause(wait, options.signal);
    } catch (error) {
      if (options.signal?.aborted) return;
      if (error instanceof ApiRequestError && !error.passing) throw error;
      options.onReconnect?.(error);
      await pause(wait, options.signal);
      wait = Math.min(wait * 2, RETRY_MS.most);
    } finally {
      connection.close();
    }
  }
}

/** Ends early, and quietly, when `signal` is aborted. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** One connection, given up when it is silent. */
class Connection {
  private readonly silence = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly outer: AbortSignal | undefined) {}

  async open(open: OpenStream, after: number): Promise<Response> {
    this.heard();
    return open(after, AbortSignal.any([this.silence.signal, ...(this.outer ? [this.outer] : [])]));
  }

  close(): void {
    clearTimeout(this.timer);
  }

  async *events<Event>(response: Response): AsyncGenerator<Event, void> {
    for await (const { data } of readServerSentEvents(this.bytes(response))) yield JSON.parse(data) as Event;
  }

  private async *bytes(response: Response): AsyncGenerator<Uint8Array, void> {
    if (!response.body) throw new ApiUnreachable(response.url, new Error('The stream has no body.'));
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      this.heard();
      yield chunk;
    }
  }

  private heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.silence.abort(new Error('The stream went silent.')), SILENCE_MS);
  }
}
