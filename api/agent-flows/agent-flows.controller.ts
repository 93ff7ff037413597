import { Body, Controller, Get, Headers, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { workUpdates } from '../../contracts/messages.js';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, numberPageQuery, type IdPageQuery, type List, type NumberPageQuery } from '../common/list.dto.js';
import { EventsRoute } from '../events/events.route.js';
import { listOrFollow, sendEvents, wantsStream } from '../events/send-events.js';
import { answerCreation, CreateRoute, EndingRoutes, VerbRoute } from '../submissions/routes.js';
import { AgentFlowsService } from './agent-flows.service.js';
import {
  agentFlowListSchema,
  agentFlowSchema,
  agentFlowTraceSchema,
  type AgentFlowDto,
  type AgentFlowTraceDto,
} from './dto/agent-flow.dto.js';
import { flowEventListSchema, flowEventSchema } from './dto/flow-event.dto.js';
import { questionSchema } from './dto/question.dto.js';
import { FlowEventsService } from './flow-events.service.js';

const PATH = 'v1/agent_flows';
const FLOW = { schema: named('AgentFlow', agentFlowSchema) };
const EVENT = { schema: named('FlowEvent', flowEventSchema) };
const ENDING = {
  cancel: { operation: { summary: 'Cancel: the flow ends without an answer' }, refused: 'The flow has ended.' },
  revive: {
    operation: {
      summary: 'Continue a flow whose workflow is gone',
      description: 'Finished turns are not asked again. If its workflow is open, nothing happens.',
    },
    refused: 'The flow is completed.',
  },
  remove: {
    operation: {
      summary: 'Delete a flow that has ended, with everything that belongs to it',
      description:
        'Its turns, replies, idempotency key and history in Temporal, and its pictures, unless another question has them. May ' +
        'be repeated.',
    },
    accepted: 'It is in no list any more; what belongs to it is being removed.',
    gone: 'Nothing of it is left.',
    refused: 'The flow has not ended.',
  },
};

@ApiTags('agent flows')
@ApiErrorResponses()
@Controller(PATH)
export class AgentFlowsController extends EndingRoutes<AgentFlowDto>(FLOW, ENDING) {
  constructor(
    override readonly service: AgentFlowsService,
    private readonly events: FlowEventsService,
  ) {
    super();
  }

  @CreateRoute(
    {
      summary: 'Ask a question',
      description:
        'One agent flow answers it, durably. With `Accept: text/event-stream` the answer is the stream of its events, ' +
        'which begins with `flow.queued`; the flow goes on even if nobody reads.',
    },
    { body: named('QuestionInput', questionSchema, 'input'), called: 'question', becomes: 'flow' },
    FLOW,
    {
      description: 'An earlier request with this key created it; or the stream.',
      content: { 'application/json': FLOW, 'text/event-stream': EVENT },
    },
  )
  async create(
    @Project() project: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const flow = answerCreation(response.vary('Accept'), PATH, await this.service.create(project, body, key));
    if (!wantsStream(request)) {
      response.json(flow);
      return;
    }
    await sendEvents(response, (signal) => this.events.follow(project, flow.id, 0, signal));
  }

  @Get()
  @ApiOperation({ summary: 'List agent flows that were asked for, newest first' })
  @ApiOkResponse({ schema: named('AgentFlowList', agentFlowListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: idPageQuery }) page: IdPageQuery,
  ): Promise<List<AgentFlowDto>> {
    return this.service.list(project, page);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get an agent flow with its trace', description: 'Prompts, replies, tool calls, usage.' })
  @ApiOkResponse({ schema: named('AgentFlowTrace', agentFlowTraceSchema) })
  async get(@Project() project: string, @Param('id') id: string): Promise<AgentFlowTraceDto> {
    return this.service.trace(project, id);
  }

  @VerbRoute(
    ':id/resume',
    { summary: 'Resume a flow that is paused: what failed is tried again, a spent budget is granted once more' },
    FLOW,
    'The flow has ended.',
  )
  async resume(@Project() project: string, @Param('id') id: string): Promise<AgentFlowDto> {
    return this.service.tell(project, id, 'resumed', workUpdates.resume);
  }

  @EventsRoute(
    ':id/events',
    {
      summary: "List or follow a flow's events",
      description:
        'Analysis, then plan, tool call, result and verdict of each turn, then the answers and the end. With ' +
        '`Accept: text/event-stream` they are streamed as they come; the id of each is its sequence, and the stream ends ' +
        'with the flow. Reconnect with `Last-Event-ID` (or `after`) so that nothing is missed or told twice.',
    },
    {
      list: named('FlowEventList', flowEventListSchema),
      event: EVENT.schema,
      told: 'The flow has ended and every event was told: do not reconnect.',
    },
  )
  async listOrFollow(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: numberPageQuery }) page: NumberPageQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await listOrFollow(this.events, { project, id, page }, request, response);
  }
}
