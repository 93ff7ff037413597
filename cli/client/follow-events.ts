import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { CliError } from '../cli-error.js';
import { ApiRequestError, NotOurApi } from './api-errors.js';

/** The API sends a heartbeat every ten seconds; a connection silent for longer than this is dead. */
const SILENCE_MS = 30_000;
/** The API closes the stream after the last event. One that stays open has nothing more to say. */
const SILENCE_AFTER_END_MS = 2_000;
const RETRY_MS = { first: 250, most: 5_000 };
/** Characters of an event at most. Its texts are bounded far below. */
const LONGEST_EVENT = 64 * 1024 * 1024;

export interface FollowOptions {
  /** Sequence of the last event that is known. */
  after?: number;
  signal?: AbortSignal;
  /** Told when the connection is lost and will be tried again. */
  onReconnect?: (error: unknown) => void;
}

/** As far as following needs to know it. */
export interface FollowedEvent {
  sequence: number;
  type: string;
}

/** Opens the stream after a sequence. The answer has status 204 if nothing more will come. */
export type OpenStream = (after: number, signal: AbortSignal) => Promise<Response>;

/**
 * The events of a run or flow, in order and each once, until it is finished. Reconnects with the last id whenever the stream
 * ends or breaks or the API is away; only a refusal (4xx), and an answer of another program, is thrown.
 */
export async function* followEvents<Event extends FollowedEvent>(
  open: OpenStream,
  options: FollowOptions = {},
): AsyncGenerator<Event, void> {
  let last = options.after ?? 0;
  let wait = RETRY_MS.first;
  let ended = false;
  while (!ended && !options.signal?.aborted) {
    const connection = new Connection(options.signal);
    try {
      const response = await connection.open(open, last);
      if (response.status === 204) return;
      for await (const event of connection.events<Event>(response)) {
        last = event.sequence;
        wait = RETRY_MS.first;
        // A run that failed can be revived: then more follows in the same stream.
        ended = isEnd(event);
        connection.expectSilence(ended);
        yield event;
      }
      if (!ended) await pause(wait, options.signal);
    } catch (error) {
      if (ended || options.signal?.aborted) return;
      if (isFinal(error)) throw error;
      options.onReconnect?.(error);
      await pause(wait, options.signal);
      wait = Math.min(wait * 2, RETRY_MS.most);
    } finally {
      connection.close();
    }
  }
}

/** Whether a run or flow is finished with this event. */
function isEnd({ type }: FollowedEvent): boolean {
  return /^(run|flow)\.(completed|failed|cancelled)$/.test(type);
}

function isFinal(error: unknown): boolean {
  return error instanceof ApiRequestError
    ? !error.passing
    : error instanceof NotOurApi || error instanceof UnknownEvent;
}

/** Ends early, and quietly, when `signal` is aborted. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** The stream has an event that this version does not understand. It would come again at every attempt. */
class UnknownEvent extends CliError {
  override readonly name = 'UnknownEvent';
}

/** One connection, given up when it is silent. */
class Connection {
  private readonly silence = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private patienceMs = SILENCE_MS;

  constructor(private readonly outer: AbortSignal | undefined) {}

  async open(open: OpenStream, after: number): Promise<Response> {
    this.heard();
    return open(after, AbortSignal.any([this.silence.signal, ...(this.outer ? [this.outer] : [])]));
  }

  /** @param end whether nothing is expected any more */
  expectSilence(end: boolean): void {
    this.patienceMs = end ? SILENCE_AFTER_END_MS : SILENCE_MS;
    this.heard();
  }

  close(): void {
    clearTimeout(this.timer);
    this.silence.abort(); // lets go of a stream that is still open
  }

  async *events<Event extends FollowedEvent>({ body }: Response): AsyncGenerator<Event, void> {
    const events: Event[] = [];
    const parser = createParser({
      onEvent: ({ data }) => events.push(parseEvent<Event>(data)),
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') throw new UnknownEvent('The API sent an event without an end.');
      },
      maxBufferSize: LONGEST_EVENT,
    });
    const decoder = new TextDecoder();
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      this.heard();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* events.splice(0);
    }
  }

  private heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.silence.abort(new Error('The stream went silent.')), this.patienceMs);
  }
}

/** @throws UnknownEvent */
function parseEvent<Event extends FollowedEvent>(data: string): Event {
  try {
    const event = JSON.parse(data) as Event;
    if (Number.isInteger(event.sequence) && typeof event.type === 'string') return event;
  } catch {
    // Said below.
  }
  throw new UnknownEvent(
    `The API sent an event that this version of the command does not understand: ${data.slice(0, 100)}`,
  );
}
