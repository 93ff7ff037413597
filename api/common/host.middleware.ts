import type { RequestHandler } from 'express';
import { refusalOf } from '../../infra/http/own-page.js';
import { ApiError } from './api-error.js';

/**
 * Refuses requests for any other host name, and those of pages that are neither the API's own nor of the operator's list
 * (DNS rebinding, CSRF).
 */
export function hostMiddleware(origins: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    const refused = refusalOf(request, 'API', origins);
    if (!refused) return next();
    const { status, code, message, param } = refused;
    next(new ApiError(status, 'invalid_request_error', code, message, { param }));
  };
}
