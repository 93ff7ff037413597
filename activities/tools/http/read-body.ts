import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { atMost, BodyTooLarge } from '../../http/bounded-body.js';
import { WebRefused } from './web-errors.js';

/** For the request's header: what `readBody` understands. */
export const ACCEPTED_ENCODINGS = 'gzip, deflate, br';

/**
 * Reads and decompresses a body. It stops at the limit, wherever the bytes come from: a stated length, the wire or the
 * decompressor.
 * @throws WebRefused where the body is larger than `limit` or compressed in another way; otherwise what the stream threw
 */
export async function readBody(
  body: Readable,
  headers: { encoding?: string; length?: string },
  limit: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const encoding = headers.encoding?.trim().toLowerCase() || 'identity';
  if (!ENCODINGS.has(encoding)) throw new WebRefused('refused', `the page is compressed in an unknown way`);
  const tooLarge = new WebRefused('output_limit', `the page is larger than ${limit} bytes`);
  if (Number(headers.length) > limit) throw tooLarge;
  try {
    const bytes = await collect(limit, body, signal);
    const decoder = decoderOf(encoding, bytes);
    return decoder ? await collect(limit, Readable.from([bytes]), signal, decoder) : bytes;
  } catch (error) {
    throw error instanceof BodyTooLarge ? tooLarge : error;
  }
}

async function collect(limit: number, source: Readable, signal: AbortSignal, decoder?: Duplex): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let tooLarge: unknown;
  const end = async (read: AsyncIterable<Buffer>) => {
    try {
      for await (const chunk of atMost(limit, read)) chunks.push(chunk);
    } catch (error) {
      if (error instanceof BodyTooLarge) tooLarge = error;
      throw error;
    }
  };
  try {
    await (decoder ? pipeline(source, decoder, end, { signal }) : pipeline(source, end, { signal }));
  } catch (error) {
    // What ends first is not always what failed first.
    throw tooLarge ?? error;
  }
  return Buffer.concat(chunks);
}

const ENCODINGS = new Set(['identity', 'gzip', 'x-gzip', 'deflate', 'br']);

/** By what the bytes are: servers forget the header, or send it for what they did not compress, or leave out its frame. */
function decoderOf(encoding: string, bytes: Buffer): Duplex | undefined {
  if (bytes.length < 2) return undefined;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return createGunzip();
  if (encoding === 'br') return createBrotliDecompress();
  if (encoding !== 'deflate') return undefined;
  return (bytes[0] & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0 ? createInflate() : createInflateRaw();
}
