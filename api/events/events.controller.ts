import { Controller, Get, Headers, Param, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { badRequest } from '../common/api-error.js';
import { named } from '../common/json-schema.js';
import { numberPageQuery, type NumberPageQuery } from '../common/list.dto.js';
import { EventStream } from './event-stream.js';
import { EventsService } from './events.service.js';
import { runEventListSchema, runEventSchema } from './run-event.dto.js';

@ApiTags('events')
@ApiErrorResponses()
@Controller('v1/training_runs/:id/events')
export class EventsController {
  constructor(private readonly service: EventsService) {}

  @Get()
  @ApiOperation({
    summary: "List or follow a run's events",
    description:
      'With `Accept: text/event-stream` the events are streamed as they come; the id of each is its sequence, and the ' +
      'stream ends with the run. Reconnect with `Last-Event-ID` (or `after`) and nothing is missed or told twice.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false })
  @ApiOkResponse({
    content: {
      'application/json': { schema: named('RunEventList', runEventListSchema) },
      'text/event-stream': { schema: named('RunEvent', runEventSchema) },
    },
  })
  @ApiNoContentResponse({ description: 'The run is finished and every event was told: do not reconnect.' })
  async listOrFollow(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: numberPageQuery }) page: NumberPageQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    response.vary('Accept');
    if (request.accepts(['application/json', 'text/event-stream']) !== 'text/event-stream') {
      response.json(await this.service.list(project, id, page));
      return;
    }
    await this.follow(project, id, parseLastEventId(lastEventId) ?? page.after ?? 0, response);
  }

  private async follow(project: string, id: string, after: number, response: Response): Promise<void> {
    if (await this.service.isOver(project, id, after)) {
      response.status(204).end();
      return;
    }
    const closed = new AbortController();
    response.on('close', () => closed.abort());
    const stream = new EventStream(response, closed.signal);
    try {
      for await (const events of this.service.follow(project, id, after, closed.signal)) await stream.write(events);
      response.end();
    } catch (error) {
      if (!closed.signal.aborted) throw error;
    }
  }
}

function parseLastEventId(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  const message = 'Last-Event-ID must be the id of an event of this stream: its sequence.';
  throw badRequest('invalid_last_event_id', message, { param: 'Last-Event-ID' });
}
