import { fetch, type Dispatcher } from 'undici';

/** Thrown when a body has more bytes than its reader takes (I16). */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
  constructor(limit: number) {
    super(`it is larger than the ${limit} bytes that are accepted`);
  }
}

/** Hands bytes on as they come. @throws BodyTooLarge as soon as there are more than `limit` */
export async function* atMost(limit: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > limit) throw new BodyTooLarge(limit);
    yield chunk;
  }
}

/**
 * A fetch whose answers' bodies end with BodyTooLarge after `limit` bytes, decompressed. A stream of events may be as long
 * as it likes: the limit is that of each event. A redirect is an answer like any other: what is asked here was named by the
 * operator, and a prompt, paid for, goes nowhere else.
 */
export function boundedFetch(limit: number, dispatcher?: Dispatcher): typeof globalThis.fetch {
  const bounded = async (input: string | URL, init: object = {}): Promise<Response> => {
    const { body, status, statusText, headers } = await fetch(input, { redirect: 'manual', ...init, dispatcher });
    const answer = { status, statusText, headers: [...headers] };
    if (body === null) return new Response(null, answer);
    const isEvents = headers.get('content-type')?.includes('text/event-stream') === true;
    if (!isEvents && Number(headers.get('content-length')) > limit) {
      await body.cancel();
      throw new BodyTooLarge(limit);
    }
    return new Response(ReadableStream.from((isEvents ? eachEventAtMost : atMost)(limit, body)), answer);
  };
  return bounded as typeof globalThis.fetch;
}

/** An event ends with a blank line, whichever of the three line breaks is used. */
const BLANK_LINES = ['\n\n', '\r\n\r\n', '\r\r'];
const LONGEST_BLANK = 4;

async function* eachEventAtMost(limit: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let before = Buffer.alloc(0);
  for await (const chunk of source) {
    const seen = Buffer.concat([before, chunk]);
    const end = Math.max(...BLANK_LINES.map((line) => seen.lastIndexOf(line)));
    bytes = end < 0 ? bytes + chunk.length : seen.length - end;
    if (bytes > limit) throw new BodyTooLarge(limit);
    before = seen.subarray(-LONGEST_BLANK + 1);
    yield chunk;
  }
}
