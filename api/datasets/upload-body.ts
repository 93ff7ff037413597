import { on } from 'node:events';
import type { Request } from 'express';
import { ApiError, badRequest } from '../common/api-error.js';
import { bodyTooLarge } from '../common/body.middleware.js';

export const UPLOAD_BOUNDS = {
  /** Until the next piece of a body, in milliseconds. */
  idleMs: 30_000,
};
/** Pieces that wait to be written, at most. */
const WAITING = 16;

/**
 * The body of a request in pieces, as fast as they are taken.
 * @param most bytes
 * @throws ApiError 400 if the client left, 408 if nothing comes, 413
 */
export async function* uploadBody(request: Request, most: number): AsyncGenerator<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > most) throw bodyTooLarge(most);
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(), UPLOAD_BOUNDS.idleMs);
  const pieces = on(request, 'data', {
    signal: idle.signal,
    close: ['end', 'close'],
    highWaterMark: WAITING,
    lowWaterMark: 1,
  }) as AsyncIterable<[Buffer]>;
  let bytes = 0;
  try {
    for await (const [piece] of pieces) {
      timer.refresh();
      bytes += piece.length;
      if (bytes > most) throw bodyTooLarge(most);
      yield piece;
    }
  } catch (error) {
    if (idle.signal.aborted) throw tooSlow(error);
    throw error instanceof ApiError ? error : broken(error);
  } finally {
    clearTimeout(timer);
  }
  if (!request.complete) throw broken();
  if (bytes === 0) throw badRequest('body_missing', 'The body must be the file.');
}

function broken(cause?: unknown): ApiError {
  return badRequest('body_broken', 'The connection ended before the whole body had arrived.', { cause });
}

function tooSlow(cause: unknown): ApiError {
  const message = `Nothing of the body arrived for ${UPLOAD_BOUNDS.idleMs / 1000} s.`;
  return new ApiError(408, 'invalid_request_error', 'request_too_slow', message, { cause });
}
