import { Module } from '@nestjs/common';
import { AgentFlowsController } from './agent-flows.controller.js';
import { AgentFlowsRepository } from './agent-flows.repository.js';
import { AgentFlowsService } from './agent-flows.service.js';
import { FlowEventsService } from './flow-events.service.js';

@Module({
  controllers: [AgentFlowsController],
  providers: [AgentFlowsRepository, AgentFlowsService, FlowEventsService],
})
export class AgentFlowsModule {}
