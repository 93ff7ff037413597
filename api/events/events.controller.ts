import { Controller, Param, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { numberPageQuery, type NumberPageQuery } from '../common/list.dto.js';
import { EventsRoute } from './events.route.js';
import { EventsService } from './events.service.js';
import { runEventListSchema, runEventSchema } from './run-event.dto.js';
import { listOrFollow } from './send-events.js';

@ApiTags('events')
@ApiErrorResponses()
@Controller('v1/training_runs/:id/events')
export class EventsController {
  constructor(private readonly service: EventsService) {}

  @EventsRoute(
    '',
    {
      summary: "List or follow a run's events",
      description:
        'With `Accept: text/event-stream` the events are streamed as they come; the id of each is its sequence, and the ' +
        'stream ends with the run. Reconnect with `Last-Event-ID` (or `after`) so that nothing is missed or told twice.',
    },
    {
      list: named('RunEventList', runEventListSchema),
      event: named('RunEvent', runEventSchema),
      told: 'The run is finished and every event was told: do not reconnect.',
    },
  )
  async listOrFollow(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: numberPageQuery }) page: NumberPageQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await listOrFollow(this.service, { project, id, page }, request, response);
  }
}
