import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ApiError } from '../common/api-error.js';
import type { AuthService } from './auth.service.js';

export interface AuthenticatedRequest extends Request {
  project?: string;
}

const OPEN_PATHS = new Set(['/health']);

/**
 * Lets a request pass with a valid API key only; runs before anything is read or routed, so that a new route is closed
 * by default. The documentation also takes the key as the password of HTTP Basic, which a browser asks for: no other
 * path does, because browsers attach Basic credentials on their own.
 */
export function authenticateMiddleware(auth: AuthService): RequestHandler {
  return (request: AuthenticatedRequest, response: Response, next: NextFunction) => {
    if (OPEN_PATHS.has(request.path)) return next();
    authenticate(auth, request).then(
      (project) => {
        if (project !== undefined) {
          request.project = project;
          return next();
        }
        response.set('WWW-Authenticate', isDocumentation(request) ? 'Basic realm="agentflow"' : 'Bearer');
        next(unauthorized());
      },
      (error: unknown) => next(error),
    );
  };
}

async function authenticate(auth: AuthService, request: Request): Promise<string | undefined> {
  const key = bearerKey(request) ?? (isDocumentation(request) ? basicPassword(request) : undefined);
  return key === undefined ? undefined : auth.projectOf(key);
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
