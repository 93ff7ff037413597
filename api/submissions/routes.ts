import { applyDecorators, Delete, HttpCode, HttpStatus, Post } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBadRequestResponse,
  ApiBody,
  ApiConflictResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  type ApiOperationOptions,
  type ApiResponseNoStatusOptions,
} from '@nestjs/swagger';
import type { Response } from 'express';

interface Answer {
  schema: { $ref: string };
}

/*
 * The routes that every kind of submission has, as far as they are the same: where they are, what they answer, and how
 * the API's description tells of it.
 */

/**
 * `POST` of a new one.
 * @param input what is submitted, as in `question`, and what it becomes, as in `flow`
 * @param again the answer to a repeated request, if it is not the row alone
 */
export function CreateRoute(
  operation: ApiOperationOptions,
  input: { body: Answer['schema']; called: string; becomes: string },
  answer: Answer,
  again: ApiResponseNoStatusOptions = { ...answer, description: 'An earlier request with this key created it.' },
): MethodDecorator {
  return applyDecorators(
    Post(),
    ApiOperation(operation),
    ApiConsumes('application/json', 'application/yaml'),
    ApiBody({ schema: input.body }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: `A second request with the same key and body returns the same ${input.becomes}.`,
    }),
    ApiCreatedResponse({ ...answer, description: 'Queued.' }),
    ApiOkResponse(again),
    ApiBadRequestResponse({ description: `The ${input.called} cannot be accepted; \`issues\` lists why.` }),
    ApiConflictResponse({ description: 'The Idempotency-Key was used with another body.' }),
  );
}

/** 201 of what was created, 200 of what an earlier request had created, and where it is. */
export function answerCreation<Dto extends { id: string }>(
  response: Response,
  path: string,
  { dto, created }: { dto: Dto; created: boolean },
): Dto {
  response.status(created ? HttpStatus.CREATED : HttpStatus.OK).location(`/${path}/${dto.id}`);
  return dto;
}

/**
 * `POST` of something that one is told to do; it is answered with the row as it is then.
 * @param refused when it answers 409, unless all routes of the controller say so
 */
export function VerbRoute(
  path: string,
  operation: ApiOperationOptions,
  answer: Answer,
  refused?: string,
): MethodDecorator {
  const documented = [ApiOperation(operation), ApiOkResponse(answer)];
  if (refused !== undefined) documented.push(ApiConflictResponse({ description: refused }));
  return applyDecorators(Post(path), HttpCode(HttpStatus.OK), ...documented);
}

/** `DELETE`. It may be repeated. @param left what is being removed after the answer */
export function DeleteRoute(
  path: string,
  operation: ApiOperationOptions,
  told: { accepted: string; gone: string; refused?: string },
): MethodDecorator {
  const documented = [
    ApiAcceptedResponse({ description: told.accepted }),
    ApiNoContentResponse({ description: told.gone }),
  ];
  if (told.refused !== undefined) documented.push(ApiConflictResponse({ description: told.refused }));
  return applyDecorators(Delete(path), ApiOperation(operation), ...documented);
}

/** 204 of what is gone, 202 while some of it is left. */
export function answerRemoval(response: Response, isGone: boolean): void {
  response.status(isGone ? HttpStatus.NO_CONTENT : HttpStatus.ACCEPTED);
}
