import type { RequestHandler } from 'express';
import type { AuditLogService } from './audit-log.service.js';

/** They change nothing. */
const UNWRITTEN = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Before everything that may refuse a request: writes how the request ended. */
export function auditEndMiddleware(auditLog: AuditLogService): RequestHandler {
  return (request, response, next) => {
    if (!UNWRITTEN.has(request.method)) response.once('close', () => auditLog.end(request, response));
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
