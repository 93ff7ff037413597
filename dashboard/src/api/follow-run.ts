import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { Answer } from './call.js';

export type RunEvent = Answer<'GET /v1/training_runs/{id}/events'>['data'][number];

const AGAIN_MS = 2_000;

/**
 * Every event of a run in order, each once, until the run is over or `signal` is aborted: a stream that breaks is
 * opened again behind the last event.
 */
export async function* followRun(id: string, signal: AbortSignal): AsyncGenerator<RunEvent, void> {
  let last = 0;
  while (!signal.aborted) {
    try {
      const response = await open(id, last, signal);
      if (response.status === 204) return;
      for await (const event of eventsIn(response)) {
        last = event.sequence;
        yield event;
      }
    } catch {
      // Broken, or the API is away: what was missed comes with the next stream.
    }
    await pause(signal);
  }
}

async function open(id: string, after: number, signal: AbortSignal): Promise<Response> {
  const response = await fetch(`/v1/training_runs/${encodeURIComponent(id)}/events`, {
    headers: { Accept: 'text/event-stream', 'Last-Event-ID': String(after) },
    signal,
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response;
}

async function* eventsIn({ body }: Response): AsyncGenerator<RunEvent, void> {
  if (!body) return;
  const reader = body
    .pipeThrough(new TextDecoderStream() as never)
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield JSON.parse(value.data) as RunEvent;
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, AGAIN_MS);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
