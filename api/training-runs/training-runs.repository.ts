import { Inject, Injectable } from '@nestjs/common';
import { DataSource, MoreThan } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { Checkpoint, TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { badRequest } from '../common/api-error.js';
import { claimKey, type Idempotency } from '../common/idempotency.js';
import { findPolicy, requireStanding, type KnownPolicy } from '../common/known-policies.js';
import type { IdPageQuery, NumberPageQuery } from '../common/list.dto.js';
import { ARTIFACTS } from '../dependencies.module.js';

export type NewTrainingRun = Pick<TrainingRun, 'id' | 'project' | 'name' | 'steps' | 'config' | 'configSha256'>;

@Injectable()
export class TrainingRunsRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
  ) {}

  /**
   * Writes a queued run, its first event and its idempotency record in one transaction (design 9).
   * @param policies what it names, by the key that names it
   * @returns the id of the run that an earlier request with the key created, and then nothing is written
   * @throws ApiError 409 where that request had another body; 400 where a policy was collected
   */
  async create(
    run: NewTrainingRun,
    policies: ReadonlyMap<string, KnownPolicy>,
    idempotency?: Idempotency,
  ): Promise<string | undefined> {
    return this.dataSource.transaction(async (manager) => {
      const earlier = idempotency && (await claimKey(manager, run, idempotency));
      if (earlier) return earlier;
      await manager.insert(TrainingRun, { ...run, status: 'queued' });
      await appendEvent(manager, run.id, 'status/0', 'run.queued', { status: 'queued', step: 0 });
      for (const [param, policy] of policies) await requireStanding(this.artifacts, param, [policy]);
      return undefined;
    });
  }

  async find(project: string, id: string): Promise<TrainingRun | null> {
    return this.dataSource.getRepository(TrainingRun).findOneBy({ project, id });
  }

  async findPolicy(project: string, name: string): Promise<KnownPolicy | undefined> {
    return findPolicy(this.dataSource.manager, project, name);
  }

  /** Newest first; one more than `limit`. */
  async list(project: string, { after, limit }: IdPageQuery): Promise<TrainingRun[]> {
    const query = this.dataSource
      .getRepository(TrainingRun)
      .createQueryBuilder('run')
      .where('run.project = :project', { project })
      .orderBy('run.createdAt', 'DESC')
      .addOrderBy('run.id', 'DESC')
      .limit(limit + 1);
    if (after === undefined) return query.getMany();
    if (!(await this.find(project, after))) throw unknownCursor(after);
    return query
      .andWhere('(run.created_at, run.id) < (SELECT created_at, id FROM training_runs WHERE id = :after)', { after })
      .getMany();
  }

  async listQueued(): Promise<TrainingRun[]> {
    return this.dataSource
      .getRepository(TrainingRun)
      .find({ where: { status: 'queued' }, order: { createdAt: 'ASC' } });
  }

  /** Ascending; one more than `limit`. */
  async listSteps(runId: string, { after, limit }: NumberPageQuery): Promise<TrainingStep[]> {
    return this.dataSource.getRepository(TrainingStep).find({
      where: { runId, step: MoreThan(after ?? -1) },
      order: { step: 'ASC' },
      take: limit + 1,
    });
  }

  /** Ascending; one more than `limit`. */
  async listCheckpoints(runId: string, { after, limit }: NumberPageQuery): Promise<Checkpoint[]> {
    return this.dataSource.getRepository(Checkpoint).find({
      where: { runId, step: MoreThan(after ?? -1) },
      order: { step: 'ASC' },
      take: limit + 1,
    });
  }
}

function unknownCursor(after: string): Error {
  return badRequest('unknown_cursor', `after: there is no training run "${after}".`, { param: 'after' });
}
