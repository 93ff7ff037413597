import { Module } from '@nestjs/common';
import { AgentFlowsModule } from '../agent-flows/agent-flows.module.js';
import { FlowAnswersService } from './flow-answers.service.js';
import { ModelsService } from './models.service.js';
import { OpenAiController } from './openai.controller.js';
import { OpenAiFlowsService } from './openai-flows.service.js';
import { PlannerService } from './planner.service.js';

/** What clients of OpenAI's API ask. */
@Module({
  imports: [AgentFlowsModule],
  controllers: [OpenAiController],
  providers: [FlowAnswersService, ModelsService, OpenAiFlowsService, PlannerService],
})
export class OpenAiModule {}
