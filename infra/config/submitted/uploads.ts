import type { EvaluationConfig } from '../../../contracts/evaluation-config.js';
import type { RunConfig } from '../../../contracts/run-config.js';
import type { UploadLayout, UploadStatus } from '../../../contracts/uploaded-dataset.js';
import type { DatasetRegistrations } from '../operator/datasets.js';
import type { Checked, ConfigIssue } from './config-issues.js';
import type { RegisteredNames } from './registered-names.js';

/** A dataset that the project uploaded, as far as a configuration is checked against it. */
export interface KnownUpload {
  /** Of the upload. */
  id: string;
  name: string;
  status: UploadStatus;
  layout: UploadLayout;
  /** Questions to train on; null until that is known. */
  training: number | null;
}

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

/**
 * Checks a configuration, and fills in which upload each name is that an upload has. An upload comes before a dataset that
 * the operator registered later under its name.
 */
export function checkWithUploads<Config>(
  registered: RegisteredNames,
  uploads: readonly KnownUpload[],
  check: (registered: RegisteredNames) => Checked<Config>,
  namedIn: (config: Config) => NamedDataset[],
): Checked<Config> {
  const byName = new Map(uploads.map((upload) => [upload.name, upload]));
  const uploaded = Object.fromEntries(uploads.map((upload) => [upload.name, registrationOf(upload)]));
  const datasets: DatasetRegistrations = { ...registered.datasets, ...uploaded };
  const checked = check({ ...registered, datasets, uploads: [...byName.keys()] });
  if ('issues' in checked) return checked;
  const issues = namedIn(checked.config).flatMap((named) => fillIn(named, byName.get(named.dataset.name)));
  return issues.length > 0 ? { issues, more: 0 } : checked;
}

/** Nobody reads the file by it. Of one that is not ready that is told, and not what it lacks besides. */
function registrationOf({ layout: { columns, ...layout }, status }: KnownUpload): DatasetRegistrations[string] {
  const held_out = status === 'ready' ? layout.held_out : 1;
  return { kind: 'own', path: '', columns, ...layout, held_out, exclude_overlap_with: [], overlap_words: 13 };
}

function fillIn({ param, dataset, trains }: NamedDataset, upload: KnownUpload | undefined): ConfigIssue[] {
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
  if (trains && upload.training === 0) {
    return [issue(`${param}.name`, `all questions of "${name}" are held out: none is left to train on`)];
  }
  dataset.upload = upload.id;
  return [];
}

function issue(param: string, words: string): ConfigIssue {
  return { param, message: `${param}: ${words}.` };
}
