import { Injectable } from '@nestjs/common';
import type { AgentFlow } from '../../infra/database/entities/index.js';
import { FlowWorkflows } from '../temporal/flow-workflows.js';
import { Reconciler } from '../temporal/reconciler.js';
import { AgentFlowsRepository } from './agent-flows.repository.js';

@Injectable()
export class FlowReconcilerService extends Reconciler<AgentFlow> {
  constructor(
    private readonly repository: AgentFlowsRepository,
    private readonly workflows: FlowWorkflows,
  ) {
    super();
  }

  protected listQueued(): Promise<AgentFlow[]> {
    return this.repository.listQueued();
  }

  protected start(flow: AgentFlow): Promise<boolean> {
    return this.workflows.start(flow);
  }
}
