import type { RequestHandler } from 'express';
import { ApiError } from './api-error.js';

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Refuses requests for any other host name: a web page that points a name of its own at 127.0.0.1 would otherwise talk
 * to this API from the user's browser (DNS rebinding).
 */
export function hostMiddleware(): RequestHandler {
  return (request, _response, next) => {
    const host = request.headers.host ?? '';
    if (LOOPBACK_NAMES.includes(host.replace(/:\d+$/, '').toLowerCase())) return next();
    const message = `The Host header names "${host}"; this API answers to ${LOOPBACK_NAMES.join(', ')}.`;
    next(new ApiError(421, 'invalid_request_error', 'unknown_host', message, { param: 'Host' }));
  };
}
