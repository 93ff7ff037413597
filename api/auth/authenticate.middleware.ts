import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { ApiKey } from '../../infra/database/entities/index.js';
import { ApiError } from '../common/api-error.js';
import { requireOwnPage, sessionToken } from '../sessions/session-cookie.js';
import { LINK_PREFIX } from '../sessions/sessions.service.js';
import type { AuthService } from './auth.service.js';
import type { AuthenticatedRequest } from './authenticated-request.js';
import { authorize, requiredScope } from './authorize.js';
import { strangersMiddleware } from './rate-limit.middleware.js';

const OPEN_PATHS = new Set(['/health']);

/**
 * Lets a request pass with a valid API key of the scope that it needs only; runs before anything is read or routed, so
 * that a new route is closed by default. The documentation also takes the key as the password of HTTP Basic, which a
 * browser asks for: no other path does, because browsers attach Basic credentials on their own.
 */
export function authenticateMiddleware(auth: AuthService): RequestHandler {
  const strangers = strangersMiddleware();
  return (request: AuthenticatedRequest, response: Response, next: NextFunction) => {
    if (OPEN_PATHS.has(request.path)) return next();
    admit(auth, request).then(
      () => next(),
      (error: unknown) => {
        if (error instanceof ApiError) response.set('WWW-Authenticate', challenge(request, error));
        if (request.apiKey) return next(error);
        void strangers(request, response, (limited: unknown) => next(limited ?? error));
      },
    );
  };
}

/** @throws ApiError 401 without a valid key, 403 if it lacks a scope */
async function admit(auth: AuthService, request: AuthenticatedRequest): Promise<void> {
  const apiKey = await findKey(auth, request);
  if (!apiKey) throw unauthorized();
  request.sentKey = apiKey;
  auth.accept(apiKey);
  request.apiKey = apiKey;
  authorize(apiKey, request);
}

/** The key of a request: the one that it sends, or the one with which its browser has signed in. */
async function findKey(auth: AuthService, request: Request): Promise<ApiKey | null> {
  const key = bearerKey(request) ?? (isDocumentation(request) ? basicPassword(request) : undefined);
  if (key !== undefined)
    return isSignIn(request) && key.startsWith(LINK_PREFIX) ? auth.findOfLink(key) : auth.find(key);
  const token = sessionToken(request);
  if (token === undefined || request.headers.authorization !== undefined) return null;
  requireOwnPage(request);
  return auth.findOfSession(token);
}

/** Nothing else takes a link: it is used up by this. */
function isSignIn({ method, path }: Request): boolean {
  return method === 'POST' && path === '/session';
}

/** RFC 6750: what would let the request pass. */
function challenge(request: Request, { status }: ApiError): string {
  if (status === 403) return `Bearer error="insufficient_scope", scope="${requiredScope(request)}"`;
  return isDocumentation(request) ? 'Basic realm="agentflow"' : 'Bearer';
}

function isDocumentation(request: Request): boolean {
  return /^\/docs(\/|-json$|-yaml$|$)/.test(request.path);
}

function bearerKey(request: Request): string | undefined {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

function basicPassword(request: Request): string | undefined {
  const encoded = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return encoded && /^[^:]*:(.+)$/.exec(Buffer.from(encoded, 'base64').toString('utf8'))?.[1];
}

function unauthorized(): ApiError {
  const message =
    'This needs a valid API key: send "Authorization: Bearer <key>". The local stack keeps its key in api.json in its data directory.';
  return new ApiError(401, 'authentication_error', 'invalid_api_key', message, { param: 'Authorization' });
}
