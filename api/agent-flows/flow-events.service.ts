import { Injectable } from '@nestjs/common';
import type { AgentFlow } from '../../infra/database/entities/index.js';
import { isEnded } from '../../infra/database/submission-rows.js';
import { toList, type List, type NumberPageQuery } from '../common/list.dto.js';
import { followed, type Look } from '../events/followed.js';
import { SharedLooks } from '../events/shared-looks.js';
import { WakeupsService } from '../events/wakeups.service.js';
import { AgentFlowsRepository } from './agent-flows.repository.js';
import { AgentFlowsService } from './agent-flows.service.js';
import type { FlowEventDto } from './dto/flow-event.dto.js';
import { usageOf } from './dto/usage.dto.js';
import { flowEvents, lastSequence, turnAfter } from './flow-events.js';

@Injectable()
export class FlowEventsService {
  private readonly looks = new SharedLooks<Look<FlowEventDto>>();

  constructor(
    private readonly flows: AgentFlowsService,
    private readonly repository: AgentFlowsRepository,
    private readonly wakeups: WakeupsService,
  ) {}

  async list(project: string, id: string, { after = 0, limit }: NumberPageQuery): Promise<List<FlowEventDto>> {
    const events = await this.read(await this.flows.load(project, id), after);
    return toList(
      events,
      limit,
      (event) => event.id,
      (event) => event,
    );
  }

  /** Whether a flow has ended and has no event after this sequence, and so never will have one. */
  async isOver(project: string, id: string, after: number): Promise<boolean> {
    const flow = await this.flows.load(project, id);
    return isEnded(flow) && after >= lastSequence(flow);
  }

  /** Pages of events (followed), until the flow has ended and all is told. */
  follow(project: string, id: string, after: number, signal: AbortSignal): AsyncGenerator<FlowEventDto[], void> {
    const place = { project, topic: id, after };
    return followed(this.wakeups, this.looks, place, signal, (known) => this.look(project, id, known));
  }

  private async look(project: string, id: string, after: number): Promise<Look<FlowEventDto>> {
    const flow = await this.flows.load(project, id);
    return { events: await this.read(flow, after), isOver: isEnded(flow) };
  }

  /** The flow's row was read first: once it has ended, all of its turns are there. */
  private async read(flow: AgentFlow, after: number): Promise<FlowEventDto[]> {
    const turns = await this.repository.outputs(flow.id, turnAfter(after));
    const usage = isEnded(flow) ? usageOf(await this.repository.countedTurns(flow.id)) : undefined;
    return flowEvents(flow, turns, usage).filter(({ sequence }) => sequence > after);
  }
}
