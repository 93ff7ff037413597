import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { numberPageQuery, type NumberPageQuery } from '../common/list.dto.js';
import { projectEventListSchema, projectEventSchema } from './project-event.dto.js';
import { ProjectEventsService } from './project-events.service.js';
import { readLastEventId, sendEvents, wantsStream } from './send-events.js';

@ApiTags('events')
@ApiErrorResponses()
@Controller('v1/events')
export class ProjectEventsController {
  constructor(private readonly service: ProjectEventsService) {}

  @Get()
  @ApiOperation({
    summary: 'List or follow the events of a project',
    description:
      'What its training runs tell, the statuses of its flows and evaluations, and deletions, in the order in which they ' +
      'were committed. With `Accept: text/event-stream` they are streamed as they come, without an end; the id of each is ' +
      'its sequence. Reconnect with `Last-Event-ID` (or `after`) so that nothing is missed or told twice.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false })
  @ApiOkResponse({
    content: {
      'application/json': { schema: named('ProjectEventList', projectEventListSchema) },
      'text/event-stream': { schema: named('ProjectEvent', projectEventSchema) },
    },
  })
  async listOrFollow(
    @Project() project: string,
    @Query({ schema: numberPageQuery }) page: NumberPageQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    response.vary('Accept');
    if (!wantsStream(request)) {
      response.json(await this.service.list(project, page));
      return;
    }
    const after = readLastEventId(request) ?? page.after ?? 0;
    await sendEvents(response, (signal) => this.service.follow(project, after, signal));
  }
}
