import { applyDecorators, Delete, HttpCode, HttpStatus, Param, Post, Res } from '@nestjs/common';
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
import type { Submission } from '../../infra/database/entities/submission.entity.js';
import { Project } from '../auth/project.decorator.js';
import type { Submissions } from './submissions.js';

interface Answer {
  schema: { $ref: string };
}

/*
 * What is the same in the routes of every kind of submission: where they are, what they answer, and how the API's
 * description tells of it.
 */

/**
 * `POST` of a new one.
 * @param input what is submitted, as in `question`, and what it becomes, as in `flow`
 * @param again the answer to a repeated request, if it is not the row alone
 * @param path where, if something that is there is what it is made from
 */
export function CreateRoute(
  operation: ApiOperationOptions,
  input: { body: Answer['schema']; called: string; becomes: string; isOptional?: boolean },
  answer: Answer,
  again: ApiResponseNoStatusOptions = { ...answer, description: 'An earlier request with this key created it.' },
  path?: string,
): MethodDecorator {
  return applyDecorators(
    Post(path),
    ApiOperation(operation),
    ApiConsumes('application/json', 'application/yaml'),
    ApiBody({ schema: input.body, required: !input.isOptional }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: `A second request with the same key and body returns the same ${input.becomes}.`,
    }),
    ApiCreatedResponse({ ...answer, description: 'Queued.' }),
    ApiOkResponse(again),
    ApiBadRequestResponse({ description: `The ${input.called} cannot be accepted; \`issues\` lists why.` }),
    ApiConflictResponse({ description: 'The Idempotency-Key was used for another request.' }),
  );
}

/**
 * The same of what is there as soon as it was created: a project, a key, a webhook.
 * @param input its body; what a second request with the key gets; why it is refused with 400 and with 409
 * @param again the answer to that request, in words
 */
export function CreateNowRoute(
  operation: ApiOperationOptions,
  input: { body: Answer['schema']; repeated: string; refused: string; conflict: string },
  answer: Answer,
  again: string,
): MethodDecorator {
  return applyDecorators(
    Post(),
    ApiOperation(operation),
    ApiBody({ schema: input.body }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: `A second request with the same key and body returns the same ${input.repeated}.`,
    }),
    ApiCreatedResponse(answer),
    ApiOkResponse({ ...answer, description: again }),
    ApiBadRequestResponse({ description: input.refused }),
    ApiConflictResponse({ description: input.conflict }),
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
 * `POST` that tells one to do something; it is answered with the row as it is then.
 * @param refused when it answers 409, unless all routes of the controller say so
 */
export function VerbRoute(
  path: string,
  operation: ApiOperationOptions,
  answer: Answer,
  refused?: string,
): MethodDecorator {
  return applyDecorators(
    Post(path),
    HttpCode(HttpStatus.OK),
    ApiOperation(operation),
    ApiOkResponse(answer),
    RefusedResponse(refused),
  );
}

/** What the API's description says of a route of one kind. */
interface Described {
  operation: ApiOperationOptions;
  /** When it answers 409, unless all routes of the controller say so. */
  refused?: string;
}

interface DescribedRemoval extends Described {
  /** What 202 and 204 mean. */
  accepted: string;
  gone: string;
}

/** A base of controllers: the routes that end something that was submitted, let it go on, and delete it. */
export function EndingRoutes<Dto>(
  answer: Answer,
  { cancel, revive, remove }: { cancel: Described; revive: Described; remove: DescribedRemoval },
) {
  abstract class Routes {
    abstract readonly service: Submissions<Submission, Dto>;

    @VerbRoute(':id/cancel', cancel.operation, answer, cancel.refused)
    async cancel(@Project() project: string, @Param('id') id: string): Promise<Dto> {
      return this.service.cancel(project, id);
    }

    @VerbRoute(':id/revive', revive.operation, answer, revive.refused)
    async revive(@Project() project: string, @Param('id') id: string): Promise<Dto> {
      return this.service.revive(project, id);
    }

    /** 204 of what is gone, 202 while some of it is left. It may be repeated. */
    @Delete(':id')
    @ApiOperation(remove.operation)
    @ApiAcceptedResponse({ description: remove.accepted })
    @ApiNoContentResponse({ description: remove.gone })
    @RefusedResponse(remove.refused)
    async remove(
      @Project() project: string,
      @Param('id') id: string,
      @Res({ passthrough: true }) response: Response,
    ): Promise<void> {
      const isGone = await this.service.remove(project, id);
      response.status(isGone ? HttpStatus.NO_CONTENT : HttpStatus.ACCEPTED);
    }
  }
  return Routes;
}

function RefusedResponse(description: string | undefined): MethodDecorator {
  return applyDecorators(...(description === undefined ? [] : [ApiConflictResponse({ description })]));
}
