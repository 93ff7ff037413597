import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit, type RateLimitRequestHandler } from 'express-rate-limit';
import { ApiError } from '../common/api-error.js';
import type { AuthenticatedRequest } from './authenticated-request.js';

const WINDOW_MS = 60_000;
/** Requests without a valid key that an address may send in a minute before they are not even looked at. */
const STRANGERS_PER_MINUTE = 300;

/**
 * Counts the requests of each key, in this process. Every answer says what is left (`RateLimit`, `RateLimit-Policy` of
 * the IETF's draft 8), and 429 says when to ask again.
 */
export function rateLimitMiddleware(limit: number): RequestHandler {
  return limited({
    limit,
    key: ({ apiKey }: AuthenticatedRequest) => apiKey?.id,
    skip: ({ apiKey }: AuthenticatedRequest) => apiKey === undefined,
    message: `This key has sent the ${limit} requests that it may send in a minute.`,
  });
}

/** Counts the requests without a valid key of each address, of which anybody can send very many. */
export function strangersMiddleware(): RateLimitRequestHandler {
  return limited({
    limit: STRANGERS_PER_MINUTE,
    key: ({ socket }: AuthenticatedRequest) => ipKeyGenerator(socket.remoteAddress ?? ''),
    message: `${STRANGERS_PER_MINUTE} requests without a valid API key came from this address within a minute.`,
  });
}

interface Limit {
  limit: number;
  key: (request: AuthenticatedRequest) => string | undefined;
  skip?: (request: AuthenticatedRequest) => boolean;
  message: string;
}

function limited({ limit, key, skip, message }: Limit): RateLimitRequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'requests-per-minute',
    keyGenerator: (request) => key(request) ?? '',
    ...(skip && { skip }),
    handler: (_request, response, next) => {
      const wait = `Ask again in ${String(response.getHeader('Retry-After'))} s.`;
      next(new ApiError(429, 'rate_limit_error', 'rate_limited', `${message} ${wait}`));
    },
  });
}
