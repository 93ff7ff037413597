import { Injectable } from '@nestjs/common';
import { DataSource, MoreThanOrEqual } from 'typeorm';
import { AgentFlow, Policy, Rollout, TrainingRun, Turn } from '../../infra/database/entities/index.js';
import { badRequest } from '../common/api-error.js';
import { claimKey, type Idempotency } from '../common/idempotency.js';
import type { IdPageQuery } from '../common/list.dto.js';
import type { CountedTurn } from './dto/usage.dto.js';
import type { TurnOutput } from './flow-events.js';

export type NewAgentFlow = Omit<
  AgentFlow,
  'status' | 'statusVersion' | 'result' | 'failure' | 'createdAt' | 'startedAt' | 'finishedAt'
>;

/** A committed policy with the model that it was trained on. */
export interface KnownPolicy {
  sha256: string;
  model: string;
}

const OUTSIDE_TURNS = 0;

@Injectable()
export class AgentFlowsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Writes a queued flow and its idempotency record in one transaction (design 9).
   * @returns the id of the flow that an earlier request with the key created, and then nothing is written
   * @throws ApiError 409 where that request had another body
   */
  async create(flow: NewAgentFlow, idempotency?: Idempotency): Promise<string | undefined> {
    return this.dataSource.transaction(async (manager) => {
      const earlier = idempotency && (await claimKey(manager, flow, idempotency));
      if (earlier !== undefined) return earlier;
      await manager.insert(AgentFlow, { ...flow, config: flow.config as object, status: 'queued' });
      return undefined;
    });
  }

  async find(project: string, id: string): Promise<AgentFlow | null> {
    return this.dataSource.getRepository(AgentFlow).findOneBy({ project, id });
  }

  /** Newest first; one more than `limit`. */
  async list(project: string, { after, limit }: IdPageQuery): Promise<AgentFlow[]> {
    const query = this.dataSource
      .getRepository(AgentFlow)
      .createQueryBuilder('flow')
      .where('flow.project = :project', { project })
      .orderBy('flow.createdAt', 'DESC')
      .addOrderBy('flow.id', 'DESC')
      .limit(limit + 1);
    if (after === undefined) return query.getMany();
    if (!(await this.find(project, after))) throw unknownCursor(after);
    return query
      .andWhere('(flow.created_at, flow.id) < (SELECT created_at, id FROM agent_flows WHERE id = :after)', { after })
      .getMany();
  }

  async listQueued(): Promise<AgentFlow[]> {
    return this.dataSource.getRepository(AgentFlow).find({ where: { status: 'queued' }, order: { createdAt: 'ASC' } });
  }

  /** In the order in which they were made. */
  async turns(flowId: string): Promise<Turn[]> {
    return this.dataSource.getRepository(Turn).find({ where: { flowId }, order: { createdAt: 'ASC' } });
  }

  /** What was returned in a turn and in those after it, and outside of turns. */
  async outputs(flowId: string, firstTurn: number): Promise<TurnOutput[]> {
    return this.dataSource.getRepository(Turn).find({
      where: [
        { flowId, turn: OUTSIDE_TURNS },
        { flowId, turn: MoreThanOrEqual(firstTurn) },
      ],
      select: { turn: true, module: true, output: true, createdAt: true },
    });
  }

  async countedTurns(flowId: string): Promise<CountedTurn[]> {
    return this.dataSource.getRepository(Turn).find({
      where: { flowId },
      select: { output: true, calls: true, promptTokenIds: true, responseTokenIds: true },
    });
  }

  /** The record of a flow that came to an end of its own. */
  async rollout(flowId: string): Promise<Rollout | null> {
    return this.dataSource.getRepository(Rollout).findOneBy({ flowId });
  }

  /** The policy `<run>@<step>` of a run of the project. */
  async findPolicy(project: string, name: string): Promise<KnownPolicy | undefined> {
    const at = name.lastIndexOf('@');
    const [runId, step] = [name.slice(0, at), Number(name.slice(at + 1))];
    const run = await this.dataSource.getRepository(TrainingRun).findOneBy({ project, id: runId });
    const policy = run && (await this.dataSource.getRepository(Policy).findOneBy({ runId, step }));
    return policy ? { sha256: policy.sha256, model: run.config.model } : undefined;
  }
}

function unknownCursor(after: string): Error {
  return badRequest('unknown_cursor', `after: there is no agent flow "${after}".`, { param: 'after' });
}
