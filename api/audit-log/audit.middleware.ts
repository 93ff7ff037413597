import type { RequestHandler, Response } from 'express';
import type { AuthenticatedRequest } from '../auth/authenticated-request.js';
import type { AuditLogService } from './audit-log.service.js';

/** They change nothing. */
const UNWRITTEN = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Before everything that may refuse a request: writes how the request ended. */
export function auditEndMiddleware(auditLog: AuditLogService): RequestHandler {
  return (request, response, next) => {
    if (!UNWRITTEN.has(request.method)) {
      const arrived = new Date();
      response.once('close', () => {
        if (!isFlood(request, response)) auditLog.end(request, response, arrived);
      });
    }
    next();
  };
}

/** Behind the check of the key, before anything is carried out: writes that it is about to be. */
export function auditBeginMiddleware(auditLog: AuditLogService): RequestHandler {
  return (request, response, next) => {
    if (UNWRITTEN.has(request.method)) return next();
    auditLog.begin(request, response).then(() => next(), next);
  };
}

/** Anybody can send very many requests without a key: those beyond the limit are not to fill the disk. */
function isFlood({ apiKey }: AuthenticatedRequest, { statusCode }: Response): boolean {
  return apiKey === undefined && statusCode === 429;
}
