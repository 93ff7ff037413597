import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Project } from '../auth/project.decorator.js';
import { ApiErrorResponses } from '../common/api-error-responses.decorator.js';
import { named } from '../common/json-schema.js';
import { VerbRoute } from '../submissions/routes.js';
import { DeliveriesService } from './deliveries.service.js';
import { deliverySchema, type DeliveryDto } from './delivery.dto.js';

const DELIVERY = { schema: named('WebhookDelivery', deliverySchema) };

@ApiTags('webhooks')
@ApiErrorResponses()
@Controller('v1/webhook_deliveries')
export class WebhookDeliveriesController {
  constructor(private readonly service: DeliveriesService) {}

  @Get(':id')
  @ApiOperation({ summary: 'Get a delivery to a webhook' })
  @ApiOkResponse(DELIVERY)
  async get(@Project() project: string, @Param('id') id: string): Promise<DeliveryDto> {
    return this.service.get(project, id);
  }

  @VerbRoute(
    ':id/replay',
    {
      summary: 'Send a delivery now',
      description:
        'Needs `admin`. One that is over is sent again, one that waits for its next attempt without the wait: the same body ' +
        'under the same `webhook-id`, in up to as many attempts as the first time.',
    },
    DELIVERY,
    'It is being sent, or its webhook is disabled.',
  )
  async replay(@Project() project: string, @Param('id') id: string): Promise<DeliveryDto> {
    return this.service.replay(project, id);
  }
}
