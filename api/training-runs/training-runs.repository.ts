import { Injectable } from '@nestjs/common';
import { DataSource, MoreThan, type EntityManager } from 'typeorm';
import { Checkpoint, IdempotencyKey, TrainingRun, TrainingStep } from '../../infra/database/entities/index.js';
import { appendEvent } from '../../infra/database/run-events.js';
import { badRequest } from '../common/api-error.js';
import type { IdPageQuery, NumberPageQuery } from '../common/list.dto.js';

export type NewTrainingRun = Pick<TrainingRun, 'id' | 'project' | 'name' | 'steps' | 'config' | 'configSha256'>;

export interface Idempotency {
  key: string;
  bodySha256: string;
}

@Injectable()
export class TrainingRunsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Writes a queued run, its first event and its idempotency record in one transaction (design 9).
   * @returns the record that was there before, and then nothing is written
   */
  async create(run: NewTrainingRun, idempotency?: Idempotency): Promise<IdempotencyKey | undefined> {
    return this.dataSource.transaction(async (manager) => {
      const earlier = idempotency && (await claimKey(manager, run, idempotency));
      if (earlier) return earlier;
      await manager.insert(TrainingRun, { ...run, status: 'queued' });
      await appendEvent(manager, run.id, 'status/0', 'run.queued', { status: 'queued', step: 0 });
      return undefined;
    });
  }

  async find(project: string, id: string): Promise<TrainingRun | null> {
    return this.dataSource.getRepository(TrainingRun).findOneBy({ project, id });
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

/** Inserts first: of two creations with one key the second waits here until the first has committed. */
async function claimKey(
  manager: EntityManager,
  run: NewTrainingRun,
  { key, bodySha256 }: Idempotency,
): Promise<IdempotencyKey | undefined> {
  const inserted = await manager
    .createQueryBuilder()
    .insert()
    .into(IdempotencyKey)
    .values({ project: run.project, key, bodySha256, runId: run.id })
    .orIgnore()
    .returning(['runId'])
    .execute();
  if ((inserted.raw as unknown[]).length > 0) return undefined;
  return manager.findOneByOrFail(IdempotencyKey, { project: run.project, key });
}

function unknownCursor(after: string): Error {
  return badRequest('unknown_cursor', `after: there is no training run "${after}".`, { param: 'after' });
}
