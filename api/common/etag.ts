import { createHash } from 'node:crypto';
import { ApiError } from './api-error.js';

/** Strong: it changes with every byte of what is shown. */
export function etagOf(shown: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(shown)).digest('hex').slice(0, 32)}"`;
}

/**
 * Compares `If-Match` with what there is (RFC 9110, 13.1.1). A weak tag matches nothing.
 * @throws ApiError 412
 */
export function requireMatch(ifMatch: string, current: string): void {
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (tags.includes('*') || tags.includes(current)) return;
  const message = `It has changed since: its ETag is ${current} now. Read it again, and decide anew.`;
  throw new ApiError(412, 'invalid_request_error', 'precondition_failed', message, { param: 'If-Match' });
}
