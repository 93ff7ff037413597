import { applyDecorators, Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { ApiKey } from '../../infra/database/entities/index.js';
import { Caller, Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { liftDeadline } from '../common/deadline.middleware.js';
import { goneSignal } from '../common/gone-signal.js';
import { named } from '../common/json-schema.js';
import type { AgentFlowDto } from '../agent-flows/dto/agent-flow.dto.js';
import { ChatStream } from './chat-stream.js';
import { chatChunkSchema, chatCompletionSchema, toChatCompletion } from './dto/chat.dto.js';
import { modelListSchema, modelSchema, type ModelDto } from './dto/model.dto.js';
import { neutralInChat, neutralInResponses } from './dto/neutral.js';
import {
  askedByChat,
  askedByResponses,
  chatRequestSchema,
  responsesRequestSchema,
  type AskedQuestion,
} from './dto/requests.js';
import { responseEventSchema, responseSchema, toResponse } from './dto/response.dto.js';
import { FlowAnswersService, FlowNotAnswered, type FlowAnswer } from './flow-answers.service.js';
import { ModelsService, PLANNER } from './models.service.js';
import { OpenAiFlowsService } from './openai-flows.service.js';
import { PlannerService } from './planner.service.js';
import { readRequest } from './read-request.js';
import { ResponseStream } from './response-stream.js';
import { sendParts, type StreamForm } from './send-parts.js';

type Schema = { $ref: string };

/** Tells whoever has only the answer which flow it is. */
const FLOW_HEADER = 'Agent-Flow-Id';

function AskRoute(
  path: string,
  operation: { summary: string; description: string },
  { body, whole, event }: { body: Schema; whole: Schema; event: Schema },
): MethodDecorator {
  return applyDecorators(
    Post(path),
    HttpCode(200),
    ApiOperation(operation),
    ApiBody({ schema: body }),
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'A second request with the same key and body joins the flow of the first.',
    }),
    ApiHeader({
      name: 'X-Stainless-Retry-Count',
      required: false,
      description: "Sent by OpenAI's clients. A request that was sent before joins its flow, also without a key.",
    }),
    ApiOkResponse({
      content: { 'application/json': { schema: whole }, 'text/event-stream': { schema: event } },
      headers: { [FLOW_HEADER]: { description: 'Id of the agent flow.', schema: { type: 'string' } } },
    }),
  );
}

/** How an endpoint reads a request and answers it. */
interface Endpoint {
  asked: AskedQuestion;
  isStreamed: boolean;
  stream: (flow: AgentFlowDto) => StreamForm;
  whole: (flow: AgentFlowDto, reasoning: readonly string[], answer: FlowAnswer) => object;
}

@ApiTags('openai')
@ApiErrorResponses()
@Controller('openai/v1')
export class OpenAiController {
  constructor(
    private readonly models: ModelsService,
    private readonly flows: OpenAiFlowsService,
    private readonly answers: FlowAnswersService,
    private readonly planner: PlannerService,
  ) {}

  @Get('models')
  @ApiOperation({
    summary: "List what can be asked, in OpenAI's form",
    description:
      'The policies that stand of the newest 100 runs, as `RUN@n`; `RUN@latest`; `RUN@best`, the best of them by held-out ' +
      'accuracy (of equal ones the earlier), of a run that was evaluated; and the models that the operator registered.',
  })
  @ApiOkResponse({ schema: named('OpenAiModelList', modelListSchema) })
  async list(@Project() project: string): Promise<{ object: 'list'; data: ModelDto[] }> {
    return { object: 'list', data: await this.models.list(project) };
  }

  @Get('models/:id')
  @ApiOperation({ summary: "Get one of them, in OpenAI's form" })
  @ApiOkResponse({ schema: named('OpenAiModel', modelSchema) })
  async get(@Project() project: string, @Param('id') id: string): Promise<ModelDto> {
    return this.models.get(project, id);
  }

  @AskRoute(
    'chat/completions',
    {
      summary: "Ask a question, in the form of OpenAI's chat completions",
      description:
        'One agent flow answers it, durably, and goes on if the client leaves. With `"model": "policy:RUN@n"` there is no ' +
        'flow: the planner itself is sampled by the policy server, which takes the messages and parameters that are its own.',
    },
    {
      body: named('OpenAiChatRequest', chatRequestSchema, 'input'),
      whole: named('OpenAiChatCompletion', chatCompletionSchema),
      event: named('OpenAiChatCompletionChunk', chatChunkSchema),
    },
  )
  async chat(
    @Caller() apiKey: ApiKey,
    @Body() body: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('x-stainless-retry-count') retries: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const planner = plannerOf(body);
    if (planner !== undefined) return this.sample(apiKey.project, planner, body as object, response);
    const request = readRequest(chatRequestSchema, neutralInChat, body);
    await this.answer({ apiKey, idempotencyKey, retries }, body, response, {
      asked: askedByChat(request),
      isStreamed: request.stream === true,
      stream: (flow) => new ChatStream(flow, request.stream_options?.include_usage === true),
      whole: toChatCompletion,
    });
  }

  @AskRoute(
    'responses',
    {
      summary: "Ask a question, in the form of OpenAI's responses",
      description: 'One agent flow answers it, durably, and goes on if the client leaves.',
    },
    {
      body: named('OpenAiResponsesRequest', responsesRequestSchema, 'input'),
      whole: named('OpenAiResponse', responseSchema),
      event: named('OpenAiResponseEvent', responseEventSchema),
    },
  )
  async responses(
    @Caller() apiKey: ApiKey,
    @Body() body: unknown,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @Headers('x-stainless-retry-count') retries: string | undefined,
    @Res() response: Response,
  ): Promise<void> {
    const request = readRequest(responsesRequestSchema, neutralInResponses, body);
    await this.answer({ apiKey, idempotencyKey, retries }, body, response, {
      asked: askedByResponses(request),
      isStreamed: request.stream === true,
      stream: (flow) => new ResponseStream(flow),
      whole: toResponse,
    });
  }

  private async answer(
    sender: Parameters<OpenAiFlowsService['ask']>[0],
    body: unknown,
    response: Response,
    { asked, isStreamed, stream, whole }: Endpoint,
  ): Promise<void> {
    const flow = await this.flows.ask(sender, body, asked);
    const { project } = sender.apiKey;
    response.set(FLOW_HEADER, flow.id);
    if (isStreamed) {
      await sendParts(response, stream(flow), (signal) => this.answers.follow(project, flow, signal));
      return;
    }
    liftDeadline(response);
    try {
      const told = await this.answers.wait(project, flow, goneSignal(response));
      if (told) response.json(whole(flow, told.reasoning, told.answer));
    } catch (error) {
      // What OpenAI's clients go by, whatever the status is. If they repeat the request, they join the flow.
      if (error instanceof FlowNotAnswered) response.set('X-Should-Retry', String(error.isRunning));
      throw error;
    }
  }

  private async sample(project: string, model: string, body: object, response: Response): Promise<void> {
    liftDeadline(response);
    response.json(await this.planner.sample(project, model, body, goneSignal(response)));
  }
}

function plannerOf(body: unknown): string | undefined {
  const model = (body as { model?: unknown } | null | undefined)?.model;
  return typeof model === 'string' && model.startsWith(PLANNER) ? model : undefined;
}
