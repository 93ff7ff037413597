import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { ApiError } from './api-error.js';
import { toApiError } from './to-api-error.js';

/** Every error leaves the API here, as `{ error: { message, type, code, param } }`. */
@Catch()
export class ErrorsFilter implements ExceptionFilter {
  private readonly logger = new Logger(ErrorsFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const known = toApiError(error);
    if (!known || known.status >= 500) this.logger.error(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const told =
      known ?? new ApiError(500, 'server_error', 'internal_error', 'The API failed on this request; its log says why.');
    response.status(told.status).json(told.toBody());
  }
}
