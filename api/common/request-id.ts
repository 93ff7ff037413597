import { randomBytes } from 'node:crypto';
import type { RequestHandler } from 'express';

export const REQUEST_ID = 'X-Request-Id';
/** What is written to logs and headers as it is. */
const USABLE = /^[\w.:/+=-]{1,128}$/;

export function newRequestId(): string {
  return `req-${randomBytes(8).toString('hex')}`;
}

/** Every answer bears the id that the request came with, or a new one if it came with none that can be used. */
export function requestIdMiddleware(): RequestHandler {
  return (request, response, next) => {
    const given = request.get(REQUEST_ID);
    response.set(REQUEST_ID, given !== undefined && USABLE.test(given) ? given : newRequestId());
    next();
  };
}
