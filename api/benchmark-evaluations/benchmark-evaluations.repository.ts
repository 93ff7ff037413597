import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { BenchmarkEvaluation, Rollout } from '../../infra/database/entities/index.js';
import { namedPolicy, type NamedRun } from '../submissions/known-policies.js';
import { ARTIFACTS } from '../dependencies.module.js';
import { SubmissionsRepository, type NewRow } from '../submissions/submissions.repository.js';

@Injectable()
export class BenchmarkEvaluationsRepository extends SubmissionsRepository<BenchmarkEvaluation> {
  constructor(dataSource: DataSource, @Inject(ARTIFACTS) artifacts: ArtifactStore) {
    super(dataSource, artifacts, BenchmarkEvaluation);
  }

  /** Flows that have ended so far. */
  async countFlows(id: string): Promise<number> {
    return this.dataSource.getRepository(Rollout).countBy({ submissionId: id });
  }

  protected override namedBy({ config }: NewRow<BenchmarkEvaluation>): NamedRun[] {
    return config.policies.filter((policy) => policy !== 'base').map((policy) => namedPolicy('policies', policy));
  }
}
