import { Inject, Injectable } from '@nestjs/common';
import { DataSource, MoreThanOrEqual, type EntityManager } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import type { ImageRef } from '../../contracts/flow.js';
import { AgentFlow, Rollout, Turn } from '../../infra/database/entities/index.js';
import { TURNS_NOW } from '../../infra/database/flow-status.js';
import type { Idempotency } from '../submissions/idempotency.js';
import { namedPolicy, type NamedRun } from '../submissions/known-policies.js';
import { inOrder } from '../common/turn-order.js';
import { ARTIFACTS } from '../dependencies.module.js';
import { SubmissionsRepository, type Draft, type NewRow } from '../submissions/submissions.repository.js';
import type { QuestionImage } from './dto/question.dto.js';
import type { CountedTurn } from './dto/usage.dto.js';
import type { TurnOutput } from './flow-events.js';
import { keepImages, removeUnusedImages } from './stored-images.js';

/** The row names its pictures, which are stored already. */
export interface FlowDraft extends Draft<AgentFlow> {
  pictures: readonly QuestionImage[];
}

const OUTSIDE_TURNS = 0;

@Injectable()
export class AgentFlowsRepository extends SubmissionsRepository<AgentFlow> {
  constructor(dataSource: DataSource, @Inject(ARTIFACTS) artifacts: ArtifactStore) {
    super(dataSource, artifacts, AgentFlow);
  }

  override async create(draft: FlowDraft, idempotency?: Idempotency): Promise<string | undefined> {
    try {
      return await super.create(draft, idempotency);
    } catch (error) {
      await removeUnusedImages(this.dataSource, this.artifacts, draft.row.images);
      throw error;
    }
  }

  /** In the order in which a flow makes them. */
  async turns(flowId: string): Promise<Turn[]> {
    return inOrder(await this.dataSource.getRepository(Turn).findBy({ flowId }));
  }

  /** What was returned in a turn, in those after it, and outside of turns. */
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

  protected override namedBy({ policyName }: NewRow<AgentFlow>): NamedRun[] {
    return policyName === null ? [] : [namedPolicy('policy', policyName)];
  }

  protected override async created(manager: EntityManager, { row, pictures }: FlowDraft): Promise<void> {
    await keepImages(manager, this.artifacts, pictures, row.images);
  }

  protected override imagesOf({ images }: AgentFlow): ImageRef[] {
    return images;
  }

  protected override columnsAtEnd(): object {
    return { pausedAt: null, turnsAtEnd: () => TURNS_NOW };
  }

  protected override columnsOfNextLife({ lives }: AgentFlow): object {
    return { pausedAt: null, turnsAtEnd: null, result: null, lives: lives + 1 };
  }
}
