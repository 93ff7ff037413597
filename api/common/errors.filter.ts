import { inspect } from 'node:util';
import { Catch, Logger, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { redact } from '../../infra/redaction/redact.js';
import { allowedMethods } from './allowed-methods.js';
import { ApiError } from './api-error.js';
import { hasExpired } from './deadline.middleware.js';
import { REQUEST_ID } from './request-id.js';
import { sendError } from './send-error.js';
import { toApiError } from './to-api-error.js';

/** Every error of a request that was understood leaves the API here, in the one shape, without keys (I6). */
@Catch()
export class ErrorsFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorsFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const told = (error instanceof NotFoundException && otherMethods(response)) || toApiError(error);
    // An error after the deadline: the request has been answered already.
    if (hasExpired(response) && (error as { code?: unknown } | null)?.code === 'ERR_HTTP_HEADERS_SENT') return;
    if (told.status >= 500) this.log(error, response);
    if (hasExpired(response)) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    sendError(response, told);
  }

  private log(error: unknown, response: Response): void {
    const { method, path } = response.req;
    this.logger.error(redact(`${String(response.getHeader(REQUEST_ID))} ${method} ${path}: ${inspect(error)}`));
  }
}

/** RFC 9110: a path that exists and lacks the method is told apart from a path that does not exist. */
function otherMethods(response: Response): ApiError | undefined {
  const { req: request } = response;
  const allowed = allowedMethods(request).join(', ');
  if (!allowed) return undefined;
  response.set('Allow', allowed);
  const message = `${request.method} is not among the methods of ${request.path}: ${allowed}.`;
  return new ApiError(405, 'invalid_request_error', 'method_not_allowed', message);
}
