import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { WebRefused } from './web-errors.js';

const DECODERS = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };

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
  const tooLarge = new WebRefused('output_limit', `the page is larger than ${limit} bytes`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > limit) throw tooLarge;
      chunks.push(chunk);
    }
  };
  const decoder = decoderOf(headers.encoding);
  if (Number(headers.length) > limit) throw tooLarge;
  try {
    await (decoder ? pipeline(body, decoder, collect, { signal }) : pipeline(body, collect, { signal }));
  } catch (error) {
    // What ends first is not always what failed first.
    throw bytes > limit ? tooLarge : error;
  }
  return Buffer.concat(chunks);
}

function decoderOf(encoding = 'identity') {
  const name = encoding.trim().toLowerCase();
  if (name === 'identity' || name === '') return undefined;
  if (!Object.hasOwn(DECODERS, name)) throw new WebRefused('refused', `the page is compressed in an unknown way`);
  return DECODERS[name as keyof typeof DECODERS]();
}
