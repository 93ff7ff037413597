import { applyDecorators } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiForbiddenResponse,
  ApiGatewayTimeoutResponse,
  ApiNotFoundResponse,
  ApiPayloadTooLargeResponse,
  ApiServiceUnavailableResponse,
  ApiTooManyRequestsResponse,
  ApiUnauthorizedResponse,
  ApiUnsupportedMediaTypeResponse,
} from '@nestjs/swagger';
import { z } from 'zod';
import { named } from './json-schema.js';

const schema = named(
  'Error',
  z.object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      code: z.string(),
      param: z.string().nullable(),
      issues: z.array(z.object({ param: z.string(), message: z.string() })).optional(),
      more_issues: z.int().optional().describe('How many issues are not listed.'),
    }),
  }),
);

/** Documents the errors that every route under /v1 can give. */
export function ApiErrorResponses(): ClassDecorator {
  return applyDecorators(
    ApiBadRequestResponse({
      description: 'The request is not understood or cannot be accepted; `issues` lists what to correct.',
      schema,
    }),
    ApiUnauthorizedResponse({ description: 'No valid API key.', schema }),
    ApiForbiddenResponse({
      description: 'The API key lacks a scope; the message and `WWW-Authenticate` name it.',
      schema,
    }),
    ApiNotFoundResponse({ description: 'It does not exist, or it belongs to another project.', schema }),
    ApiPayloadTooLargeResponse({ description: 'The body is larger than this route takes.', schema }),
    ApiUnsupportedMediaTypeResponse({
      description: 'The body is of a content type that this route does not take.',
      schema,
    }),
    ApiTooManyRequestsResponse({
      description: 'Too many requests with this key. `Retry-After` says when to ask again.',
      schema,
    }),
    ApiServiceUnavailableResponse({
      description: 'Temporal or the database does not answer, or another session holds a lock. Try again.',
      schema,
    }),
    ApiGatewayTimeoutResponse({
      description: 'The request was not answered in time. It may still be carried out.',
      schema,
    }),
  );
}
