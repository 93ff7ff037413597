import { Inject, Injectable } from '@nestjs/common';
import { DataSource, In, type EntityManager } from 'typeorm';
import type { EvaluationConfig } from '../../contracts/evaluation-config.js';
import type { RunConfig } from '../../contracts/run-config.js';
import type { DatasetRegistrations } from '../../infra/config/operator/datasets.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { Checked, ConfigIssue } from '../../infra/config/submitted/config-issues.js';
import type { RegisteredNames } from '../../infra/config/submitted/registered-names.js';
import { UploadedDataset } from '../../infra/database/entities/index.js';
import { badRequest } from '../common/api-error.js';
import { OPERATOR } from '../dependencies.module.js';

/** A place in a configuration that names a dataset. */
export interface NamedDataset {
  param: string;
  dataset: { name: string; upload?: string };
  /** Whether a run is trained on it. */
  trains?: boolean;
}

/** The datasets that a configuration of a run names. */
export function datasetsOfRun({ dataset, evaluation }: RunConfig): NamedDataset[] {
  const heldOut = evaluation.dataset ? [{ param: 'evaluation.dataset', dataset: evaluation.dataset }] : [];
  return [{ param: 'dataset', dataset, trains: true }, ...heldOut];
}

/** Those that an evaluation names. */
export function datasetsOfEvaluation({ benchmarks }: EvaluationConfig): NamedDataset[] {
  return benchmarks.map((dataset, i) => ({ param: `benchmarks[${i}]`, dataset }));
}

/** What configurations of a project may name: what the operator registered, and what the project uploaded. */
@Injectable()
export class ProjectDatasets {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(OPERATOR) private readonly operator: OperatorFile,
  ) {}

  /**
   * Checks a configuration, and fills in which upload each name is that an upload has. An upload comes before a dataset that
   * the operator registered later under its name.
   */
  async check<Config>(
    project: string,
    check: (registered: RegisteredNames) => Checked<Config>,
    namedIn: (config: Config) => NamedDataset[],
  ): Promise<Checked<Config>> {
    const rows = await this.dataSource.getRepository(UploadedDataset).findBy({ project });
    const uploads = new Map(rows.map((row) => [row.name, row]));
    const uploaded = Object.fromEntries(rows.map(({ name, layout }) => [name, registrationOf(layout)]));
    const datasets: DatasetRegistrations = { ...this.operator.datasets, ...uploaded };
    const checked = check({ ...this.operator, datasets, uploads: [...uploads.keys()] });
    if ('issues' in checked) return checked;
    const issues = namedIn(checked.config).flatMap((named) => fillIn(named, uploads.get(named.dataset.name)));
    return issues.length > 0 ? { issues, more: 0 } : checked;
  }
}

/** As far as a configuration is checked against it: nobody reads the file by it. */
function registrationOf({ columns, ...layout }: UploadedDataset['layout']): DatasetRegistrations[string] {
  return { kind: 'own', path: '', columns, ...layout, exclude_overlap_with: [], overlap_words: 13 };
}

function fillIn({ param, dataset, trains }: NamedDataset, upload: UploadedDataset | undefined): ConfigIssue[] {
  const { name, upload: pinned } = dataset;
  if (pinned !== undefined && pinned !== upload?.id) {
    const is = upload ? `the upload of this name is ${upload.id}` : `"${name}" is no upload`;
    return [issue(`${param}.upload`, `${is}, not ${pinned}. Leave the key out: it is filled in`)];
  }
  if (!upload) return [];
  if (upload.status === 'checking') {
    return [issue(`${param}.name`, `"${name}" is being checked. Wait until its status is ready`)];
  }
  if (upload.status === 'refused') {
    return [issue(`${param}.name`, `"${name}" holds mistakes. Mend them, delete it, and upload it again`)];
  }
  if (trains && upload.report?.training === 0) {
    return [issue(`${param}.name`, `all questions of "${name}" are held out: none is left to train on`)];
  }
  dataset.upload = upload.id;
  return [];
}

function issue(param: string, words: string): ConfigIssue {
  return { param, message: `${param}: ${words}.` };
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
