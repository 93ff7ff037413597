import { inspect } from 'node:util';
import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { redact } from '../../infra/redaction/redact.js';
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
    const told = toApiError(error);
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
