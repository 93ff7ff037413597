import type { Response } from 'express';
import { redactKnownIn } from '../../infra/redaction/redact.js';
import type { ApiError } from './api-error.js';

/** Outages that a client waits for are mostly restarts: seconds. */
const RETRY_AFTER_S = 2;

/**
 * Answers with an error in the one shape: `{ error: { message, type, code, param } }`. If it will pass, the answer says
 * when to ask again.
 */
export function sendError(response: Response, error: ApiError): void {
  if (error.status === 503 || error.status === 504) response.set('Retry-After', String(RETRY_AFTER_S));
  response.status(error.status).json(redactKnownIn(error.toBody()));
}
