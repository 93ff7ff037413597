import type { RequestHandler } from 'express';
import { refusalOf } from '../../infra/http/own-page.js';
import { ApiError } from './api-error.js';

/** Refuses requests for any other host name, and those of pages that are not the API's own (DNS rebinding, CSRF). */
export function hostMiddleware(): RequestHandler {
  return (request, _response, next) => {
    const refused = refusalOf(request, 'API');
    if (!refused) return next();
    const { status, code, message, param } = refused;
    next(new ApiError(status, 'invalid_request_error', code, message, { param }));
  };
}
