import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { AuthenticatedRequest } from './authenticate.middleware.js';

/** The project of the request's API key. */
export const Project = createParamDecorator(
  (_: unknown, context: ExecutionContext): string =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().project ?? unauthenticated(),
);

function unauthenticated(): never {
  throw new Error('A route that needs a project was reached without an API key.');
}
