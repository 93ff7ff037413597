import type { StandardSchemaValidationPipeOptions } from '@nestjs/common';
import { badRequest } from './api-error.js';

type Issues = Parameters<NonNullable<StandardSchemaValidationPipeOptions['exceptionFactory']>>[0];

/** What a request's query or body is refused with when its schema finds issues. */
export function invalidRequest(issues: Issues): Error {
  const described = issues.map((issue) => {
    const param = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return { param, message: param ? `${param}: ${issue.message}` : issue.message };
  });
  const message = described.map((issue) => issue.message).join('; ');
  return badRequest('invalid_request', message, { param: described[0]?.param || undefined, issues: described });
}
