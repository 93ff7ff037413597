import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ArtifactStore } from '../../infra/artifacts/artifact-store.js';
import { PolicyExport } from '../../infra/database/entities/index.js';
import { ARTIFACTS } from '../dependencies.module.js';
import { namedPolicy, type NamedRun } from '../submissions/known-policies.js';
import { SubmissionsRepository, type NewRow } from '../submissions/submissions.repository.js';

@Injectable()
export class ExportsRepository extends SubmissionsRepository<PolicyExport> {
  constructor(dataSource: DataSource, @Inject(ARTIFACTS) artifacts: ArtifactStore) {
    super(dataSource, artifacts, PolicyExport);
  }

  protected override namedBy({ policyName }: NewRow<PolicyExport>): NamedRun[] {
    return [namedPolicy('id', policyName)];
  }
}
