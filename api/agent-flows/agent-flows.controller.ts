import { Body, Controller, Get, Headers, HttpCode, HttpStatus, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiBody,
  ApiConflictResponse,
  ApiConsumes,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { badRequest } from '../common/api-error.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, numberPageQuery, type IdPageQuery, type List, type NumberPageQuery } from '../common/list.dto.js';
import { parseLastEventId, sendEvents } from '../events/send-events.js';
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

const FLOW = { schema: named('AgentFlow', agentFlowSchema) };
const EVENT = { schema: named('FlowEvent', flowEventSchema) };

@ApiTags('agent flows')
@ApiErrorResponses()
@Controller('v1/agent_flows')
export class AgentFlowsController {
  constructor(
    private readonly service: AgentFlowsService,
    private readonly events: FlowEventsService,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Ask a question',
    description:
      'One agent flow answers it, durably. With `Accept: text/event-stream` the answer is the stream of its events, ' +
      'which begins with `flow.queued`; the flow goes on whether or not anyone reads.',
  })
  @ApiConsumes('application/json', 'application/yaml')
  @ApiBody({ schema: named('QuestionInput', questionSchema, 'input') })
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'Equal key and body: the same flow again.' })
  @ApiCreatedResponse({ ...FLOW, description: 'Queued.' })
  @ApiOkResponse({
    description: 'An earlier request with this key made it; or the stream.',
    content: { 'application/json': FLOW, 'text/event-stream': EVENT },
  })
  @ApiBadRequestResponse({ description: 'The question cannot be accepted; `issues` lists why.' })
  @ApiConflictResponse({ description: 'The Idempotency-Key was used with another body.' })
  async create(
    @Project() project: string,
    @Body() body: unknown,
    @Headers('idempotency-key') key: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (body === undefined) throw badRequest('body_missing', 'The body must be a question, as JSON or YAML.');
    const { flow, created } = await this.service.create(project, body, key);
    response.vary('Accept').location(`/v1/agent_flows/${flow.id}`);
    if (!wantsStream(request)) {
      response.status(created ? HttpStatus.CREATED : HttpStatus.OK).json(flow);
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

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Resume a flow that is paused because its budget is spent: it is granted once more' })
  @ApiOkResponse(FLOW)
  @ApiConflictResponse({ description: 'The flow has ended.' })
  async resume(@Project() project: string, @Param('id') id: string): Promise<AgentFlowDto> {
    return this.service.resume(project, id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancel: the flow ends without an answer' })
  @ApiOkResponse(FLOW)
  @ApiConflictResponse({ description: 'The flow has ended.' })
  async cancel(@Project() project: string, @Param('id') id: string): Promise<AgentFlowDto> {
    return this.service.cancel(project, id);
  }

  @Get(':id/events')
  @ApiOperation({
    summary: "List or follow a flow's events",
    description:
      'Analysis, then plan, tool call, result and verdict of each turn, then the answers and the end. With ' +
      '`Accept: text/event-stream` they are streamed as they come; the id of each is its sequence, and the stream ends ' +
      'with the flow. Reconnect with `Last-Event-ID` (or `after`) and nothing is missed or told twice.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false })
  @ApiOkResponse({
    content: {
      'application/json': { schema: named('FlowEventList', flowEventListSchema) },
      'text/event-stream': EVENT,
    },
  })
  @ApiNoContentResponse({ description: 'The flow has ended and every event was told: do not reconnect.' })
  async listOrFollow(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: numberPageQuery }) page: NumberPageQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    response.vary('Accept');
    if (!wantsStream(request)) {
      response.json(await this.events.list(project, id, page));
      return;
    }
    const after = parseLastEventId(lastEventId) ?? page.after ?? 0;
    if (await this.events.isOver(project, id, after)) response.status(204).end();
    else await sendEvents(response, (signal) => this.events.follow(project, id, after, signal));
  }
}

function wantsStream(request: Request): boolean {
  return request.accepts(['application/json', 'text/event-stream']) === 'text/event-stream';
}
