import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { BenchmarkEvaluation, Rollout } from '../../infra/database/entities/index.js';
import { badRequest } from '../common/api-error.js';
import { claimKey, type Idempotency } from '../common/idempotency.js';
import { findPolicy, requireStanding, type KnownPolicy } from '../common/known-policies.js';
import type { IdPageQuery } from '../common/list.dto.js';
import { ARTIFACTS } from '../dependencies.module.js';

export type NewBenchmarkEvaluation = Pick<BenchmarkEvaluation, 'id' | 'project' | 'name' | 'config'>;

@Injectable()
export class BenchmarkEvaluationsRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
  ) {}

  /**
   * Writes a queued evaluation and its idempotency record in one transaction (design 9).
   * @param policies that it uses: they are kept until it has ended
   * @returns the id of the evaluation that an earlier request with the key created, and then nothing is written
   * @throws ApiError 409 where that request had another body; 400 where a policy was collected
   */
  async create(
    evaluation: NewBenchmarkEvaluation,
    policies: readonly KnownPolicy[],
    idempotency?: Idempotency,
  ): Promise<string | undefined> {
    return this.dataSource.transaction(async (manager) => {
      const earlier = idempotency && (await claimKey(manager, evaluation, idempotency));
      if (earlier !== undefined) return earlier;
      const config = evaluation.config as object;
      await manager.insert(BenchmarkEvaluation, { ...evaluation, config, status: 'queued' });
      await requireStanding(this.artifacts, 'policies', policies);
      return undefined;
    });
  }

  async find(project: string, id: string): Promise<BenchmarkEvaluation | null> {
    return this.dataSource.getRepository(BenchmarkEvaluation).findOneBy({ project, id });
  }

  /** Newest first; one more than `limit`. */
  async list(project: string, { after, limit }: IdPageQuery): Promise<BenchmarkEvaluation[]> {
    const query = this.dataSource
      .getRepository(BenchmarkEvaluation)
      .createQueryBuilder('evaluation')
      .where('evaluation.project = :project', { project })
      .orderBy('evaluation.createdAt', 'DESC')
      .addOrderBy('evaluation.id', 'DESC')
      .limit(limit + 1);
    if (after === undefined) return query.getMany();
    if (!(await this.find(project, after))) throw unknownCursor(after);
    const position = '(SELECT created_at, id FROM benchmark_evaluations WHERE id = :after)';
    return query.andWhere(`(evaluation.created_at, evaluation.id) < ${position}`, { after }).getMany();
  }

  async listQueued(): Promise<BenchmarkEvaluation[]> {
    const order = { createdAt: 'ASC' } as const;
    return this.dataSource.getRepository(BenchmarkEvaluation).find({ where: { status: 'queued' }, order });
  }

  /** Flows that have ended so far. */
  async countFlows(id: string): Promise<number> {
    return this.dataSource.getRepository(Rollout).countBy({ runId: id });
  }

  async findPolicy(project: string, name: string): Promise<KnownPolicy | undefined> {
    return findPolicy(this.dataSource.manager, project, name);
  }
}

function unknownCursor(after: string): Error {
  return badRequest('unknown_cursor', `after: there is no evaluation "${after}".`, { param: 'after' });
}
