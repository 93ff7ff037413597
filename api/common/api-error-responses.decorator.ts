import { applyDecorators } from '@nestjs/common';
import { ApiNotFoundResponse, ApiServiceUnavailableResponse, ApiUnauthorizedResponse } from '@nestjs/swagger';
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
    }),
  }),
);

/** Documents the errors that every route under /v1 can give. */
export function ApiErrorResponses(): ClassDecorator {
  return applyDecorators(
    ApiUnauthorizedResponse({ description: 'No valid API key.', schema }),
    ApiNotFoundResponse({ description: 'Not there, or of another project.', schema }),
    ApiServiceUnavailableResponse({ description: 'Temporal or the database does not answer.', schema }),
  );
}
