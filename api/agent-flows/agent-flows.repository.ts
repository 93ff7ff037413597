import { Inject, Injectable } from '@nestjs/common';
import { DataSource, IsNull, MoreThanOrEqual } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { AgentFlow, Rollout, Turn } from '../../infra/database/entities/index.js';
import { badRequest } from '../common/api-error.js';
import { claimKey, type Idempotency } from '../common/idempotency.js';
import { findPolicy, requireStanding, type KnownPolicy } from '../common/known-policies.js';
import type { IdPageQuery } from '../common/list.dto.js';
import { ARTIFACTS } from '../dependencies.module.js';
import type { CountedTurn } from './dto/usage.dto.js';
import type { TurnOutput } from './flow-events.js';

export type NewAgentFlow = Omit<
  AgentFlow,
  'status' | 'statusVersion' | 'result' | 'failure' | 'createdAt' | 'startedAt' | 'pausedAt' | 'finishedAt'
>;

const OUTSIDE_TURNS = 0;

@Injectable()
export class AgentFlowsRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
  ) {}

  /**
   * Writes a queued flow and its idempotency record in one transaction (design 9).
   * @param policies that it uses: they are kept until it has ended
   * @returns the id of the flow that an earlier request with the key created, and then nothing is written
   * @throws ApiError 409 where that request had another body; 400 where a policy was collected
   */
  async create(
    flow: NewAgentFlow,
    policies: readonly KnownPolicy[],
    idempotency?: Idempotency,
  ): Promise<string | undefined> {
    return this.dataSource.transaction(async (manager) => {
      const earlier = idempotency && (await claimKey(manager, flow, idempotency));
      if (earlier !== undefined) return earlier;
      await manager.insert(AgentFlow, { ...flow, config: flow.config as object, status: 'queued' });
      await requireStanding(this.artifacts, 'policy', policies);
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
    const where = { status: 'queued', finishedAt: IsNull() } as const;
    return this.dataSource.getRepository(AgentFlow).find({ where, order: { createdAt: 'ASC' } });
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

  async findPolicy(project: string, name: string): Promise<KnownPolicy | undefined> {
    return findPolicy(this.dataSource.manager, project, name);
  }
}

function unknownCursor(after: string): Error {
  return badRequest('unknown_cursor', `after: there is no agent flow "${after}".`, { param: 'after' });
}
