import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  HttpStatus,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiBadRequestResponse,
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { idPageQuery, type IdPageQuery, type List } from '../common/list.dto.js';
import { answerCreation, CreateNowRoute } from '../submissions/routes.js';
import { DeliveriesService } from './deliveries.service.js';
import {
  deliveriesQuery,
  deliveryListSchema,
  deliverySchema,
  type DeliveriesQuery,
  type DeliveryDto,
} from './delivery.dto.js';
import {
  createdWebhookSchema,
  newWebhookSchema,
  webhookChangeSchema,
  webhookListSchema,
  webhookSchema,
  type CreatedWebhookDto,
  type NewWebhookBody,
  type WebhookChangeBody,
  type WebhookDto,
} from './webhook.dto.js';
import { WebhooksService } from './webhooks.service.js';

const PATH = 'v1/webhooks';
const WEBHOOK = { schema: named('Webhook', webhookSchema) };
const CREATED = { schema: named('CreatedWebhook', createdWebhookSchema) };

@ApiTags('webhooks')
@ApiErrorResponses()
@Controller(PATH)
export class WebhooksController {
  constructor(
    private readonly webhooks: WebhooksService,
    private readonly deliveries: DeliveriesService,
  ) {}

  @CreateNowRoute(
    {
      summary: 'Register a webhook',
      description:
        'Needs `admin`. From now on the events of the project are posted to it, signed as Standard Webhooks has it. The ' +
        'answer shows the secret; nothing shows it again.',
    },
    {
      body: named('WebhookInput', newWebhookSchema, 'input'),
      repeated: 'webhook, without its secret',
      refused: 'Nothing may be sent there; the message says why.',
      conflict: 'The Idempotency-Key was used for another request, or there are 20 webhooks.',
    },
    CREATED,
    'An earlier request with this key created it; `secret` is null.',
  )
  async create(
    @Project() project: string,
    @Body({ schema: newWebhookSchema }) body: NewWebhookBody,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedWebhookDto> {
    const created = await this.webhooks.create(project, body, key);
    response.set('Cache-Control', 'no-store');
    return answerCreation(response, PATH, created);
  }

  @Get()
  @ApiOperation({ summary: 'List the webhooks of the project, newest first' })
  @ApiOkResponse({ schema: named('WebhookList', webhookListSchema) })
  async list(
    @Project() project: string,
    @Query({ schema: idPageQuery }) query: IdPageQuery,
  ): Promise<List<WebhookDto>> {
    return this.webhooks.list(project, query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Get a webhook' })
  @ApiOkResponse(WEBHOOK)
  async get(@Project() project: string, @Param('id') id: string): Promise<WebhookDto> {
    return this.webhooks.get(project, id);
  }

  @Patch(':id')
  @ApiOperation({
    summary: 'Change a webhook',
    description: 'Needs `admin`. What the body does not name stays. `status: enabled` enables one that was disabled.',
  })
  @ApiBody({ schema: named('WebhookChange', webhookChangeSchema, 'input') })
  @ApiOkResponse(WEBHOOK)
  @ApiBadRequestResponse({ description: 'Nothing may be sent there; the message says why.' })
  async change(
    @Project() project: string,
    @Param('id') id: string,
    @Body({ schema: webhookChangeSchema }) body: WebhookChangeBody,
  ): Promise<WebhookDto> {
    return this.webhooks.change(project, id, body);
  }

  @Delete(':id')
  @HttpCode(HttpStatus.NO_CONTENT)
  @ApiOperation({
    summary: 'Delete a webhook with its deliveries',
    description: 'Needs `admin`. What is pending is not sent any more.',
  })
  @ApiNoContentResponse({ description: 'Nothing of it is left.' })
  async remove(@Project() project: string, @Param('id') id: string): Promise<void> {
    await this.webhooks.remove(project, id);
  }

  @Post(':id/test')
  @ApiOperation({
    summary: 'Send a webhook an event `webhook.test`',
    description: 'Needs `admin`. It is delivered as every other event; the answer is its delivery as it begins.',
  })
  @ApiCreatedResponse({ schema: named('WebhookDelivery', deliverySchema) })
  @ApiConflictResponse({ description: 'The webhook is disabled.' })
  async test(@Project() project: string, @Param('id') id: string): Promise<DeliveryDto> {
    return this.deliveries.test(project, id);
  }

  @Get(':id/deliveries')
  @ApiOperation({
    summary: 'List what a webhook was told, newest first',
    description: 'Deliveries that are over are kept for 30 days.',
  })
  @ApiOkResponse({ schema: named('WebhookDeliveryList', deliveryListSchema) })
  async listDeliveries(
    @Project() project: string,
    @Param('id') id: string,
    @Query({ schema: deliveriesQuery }) query: DeliveriesQuery,
  ): Promise<List<DeliveryDto>> {
    return this.deliveries.list(project, id, query);
  }
}
