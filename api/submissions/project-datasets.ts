import { Inject, Injectable } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { Checked } from '../../infra/config/submitted/config-issues.js';
import type { RegisteredNames } from '../../infra/config/submitted/registered-names.js';
import { checkWithUploads, type NamedDataset } from '../../infra/config/submitted/uploads.js';
import { UploadedDataset } from '../../infra/database/entities/index.js';
import { badRequest } from '../common/api-error.js';
import { OPERATOR } from '../dependencies.module.js';

/** What configurations of a project may name: what the operator registered, and what the project uploaded. */
@Injectable()
export class ProjectDatasets {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {}

  /** Checks a configuration, and fills in which upload each name is that an upload has. */
  async check<Config>(
    project: string,
    check: (registered: RegisteredNames) => Checked<Config>,
    namedIn: (config: Config) => NamedDataset[],
  ): Promise<Checked<Config>> {
    const rows = await this.dataSource.getRepository(UploadedDataset).findBy({ project });
    const uploads = rows.map(({ report, ...row }) => ({ ...row, training: report?.training ?? null }));
    return checkWithUploads(this.operator, uploads, check, namedIn);
  }
}

/**
 * Keeps uploads from being deleted until the caller's transaction is over, which has written a row that names them: a
 * deletion that waited for it reads the row, and refuses.
 * @throws ApiError 400 if one was deleted meanwhile
 */
export async function claimUploads(manager: EntityManager, named: readonly NamedDataset[]): Promise<void> {
  const uploads = named.filter(({ dataset }) => dataset.upload !== undefined);
  if (uploads.length === 0) return;
  const standing = await manager.find(UploadedDataset, {
    select: { id: true },
    where: { id: In(uploads.map(({ dataset }) => dataset.upload)) },
    order: { id: 'ASC' },
    lock: { mode: 'for_key_share' },
  });
  const deleted = uploads.find(({ dataset }) => !standing.some(({ id }) => id === dataset.upload));
  if (!deleted) return;
  const param = `${deleted.param}.name`;
  throw badRequest('dataset_deleted', `${param}: the dataset "${deleted.dataset.name}" was deleted.`, { param });
}
