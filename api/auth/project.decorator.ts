import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { ApiKey } from '../../infra/database/entities/index.js';
import type { AuthenticatedRequest } from './authenticated-request.js';

/** The project of the request's API key. */
export const Project = createParamDecorator(
  (_: unknown, context: ExecutionContext): string => callerOf(context).project,
);

/** The API key of the request. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): ApiKey => callerOf(context));

/** The API key of a request, wherever Nest handles it. */
export function callerOf(context: ExecutionContext): ApiKey {
  const { apiKey } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!apiKey) throw new Error('A route that needs a project was reached without an API key.');
  return apiKey;
}
