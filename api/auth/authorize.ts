import type { Request } from 'express';
import type { KeyScope } from '../../contracts/key-scopes.js';
import type { ApiKey } from '../../infra/database/entities/index.js';
import { forbidden } from '../common/api-error.js';

/** Whatever is below them needs `admin`. Express takes a path in any case, and so does this. */
const ADMIN_PATHS = /^\/v1\/(keys|projects|audit_log)(\/|$)/i;
/** Whatever changes what is below them does: it sends data of the project elsewhere. */
const ADMIN_WRITES = /^\/v1\/(webhooks|webhook_deliveries)(\/|$)/i;
/** A browser signs in and out with any key. */
const SESSION_PATHS = /^\/(session|v1\/sign_in_links)(\/|$)/i;
const READING = new Set(['GET', 'HEAD']);

/** The scope that a request needs. What nobody has thought of needs `submit`. */
export function requiredScope({ method, path }: Pick<Request, 'method' | 'path'>): KeyScope {
  if (ADMIN_PATHS.test(path)) return 'admin';
  if (READING.has(method) || SESSION_PATHS.test(path)) return 'read';
  return ADMIN_WRITES.test(path) ? 'admin' : 'submit';
}

/** @throws ApiError 403 that names the scope that the key lacks */
export function authorize({ id, scopes }: ApiKey, request: Request): void {
  const scope = requiredScope(request);
  if (scopes.includes(scope)) return;
  const message =
    `${request.method} ${request.path} needs a key with the scope "${scope}"; ${id} has ${scopes.join(', ')}. ` +
    'An admin of the project makes keys: agentflow keys create.';
  throw forbidden('insufficient_scope', message, { param: 'Authorization' });
}
