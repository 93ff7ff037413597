import { Module } from '@nestjs/common';
import { WakeupsModule } from '../events/wakeups.module.js';
import { DeliveriesService } from './deliveries.service.js';
import { DeliveryStarterService } from './delivery-starter.service.js';
import { WebhookDeliveriesController } from './webhook-deliveries.controller.js';
import { WebhooksController } from './webhooks.controller.js';
import { WebhooksService } from './webhooks.service.js';

@Module({
  imports: [WakeupsModule],
  controllers: [WebhooksController, WebhookDeliveriesController],
  providers: [WebhooksService, DeliveriesService, DeliveryStarterService],
})
export class WebhooksModule {}
