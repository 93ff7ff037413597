import { applyDecorators, Get } from '@nestjs/common';
import {
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  type ApiOperationOptions,
  type ApiResponseSchemaHost,
} from '@nestjs/swagger';

type Schema = ApiResponseSchemaHost['schema'];

/**
 * `GET` of events, which listOrFollow() answers: a page of them, or the stream.
 * @param told what 204 means
 */
export function EventsRoute(
  path: string,
  operation: ApiOperationOptions,
  { list, event, told }: { list: Schema; event: Schema; told: string },
): MethodDecorator {
  return applyDecorators(
    Get(path),
    ApiOperation(operation),
    ApiHeader({ name: 'Last-Event-ID', required: false }),
    ApiOkResponse({ content: { 'application/json': { schema: list }, 'text/event-stream': { schema: event } } }),
    ApiNoContentResponse({ description: told }),
  );
}
