import { Module } from '@nestjs/common';
import { WakeupsModule } from '../events/wakeups.module.js';
import { AgentFlowsController } from './agent-flows.controller.js';
import { AgentFlowsRepository } from './agent-flows.repository.js';
import { AgentFlowsService } from './agent-flows.service.js';
import { FlowEventsService } from './flow-events.service.js';

@Module({
  imports: [WakeupsModule],
  controllers: [AgentFlowsController],
  providers: [AgentFlowsRepository, AgentFlowsService, FlowEventsService],
  exports: [AgentFlowsService, FlowEventsService],
})
export class AgentFlowsModule {}
