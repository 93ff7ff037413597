import type { DataSource } from 'typeorm';
import { Policy, TrainingRun } from '../../infra/database/entities/index.js';
import type { PolicyRef } from '../../contracts/artifacts.js';
import { FailureType } from '../../contracts/failures.js';
import { nonRetryable } from '../failures/non-retryable.js';

/** The committed policy of `<run>@<step>`, which must have been trained on the same base model where one is given. */
export async function resolvePolicy(dataSource: DataSource, name: string, model?: string): Promise<PolicyRef> {
  const at = name.lastIndexOf('@');
  const [runId, step] = [name.slice(0, at), Number(name.slice(at + 1))];
  const policy = await dataSource.getRepository(Policy).findOneBy({ runId, step });
  if (!policy) throw nonRetryable(FailureType.NotFound, `There is no committed policy ${name}.`);
  if (model === undefined) return { name, sha256: policy.sha256 };
  const run = await dataSource.getRepository(TrainingRun).findOneBy({ id: runId });
  if (run && run.config.model !== model) {
    throw nonRetryable(FailureType.WrongIdentity, `${name} is a policy of ${run.config.model}, not of ${model}.`);
  }
  return { name, sha256: policy.sha256 };
}
