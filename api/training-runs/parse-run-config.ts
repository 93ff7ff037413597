import type { RunConfig } from '../../contracts/run-config.js';
import { checkRunConfig } from '../../infra/config/submitted/check-run-config.js';
import type { RegisteredNames } from '../../infra/config/submitted/registered-names.js';
import { refusedFor, type ApiIssue } from '../common/api-error.js';

/** @throws ApiError 400 that lists everything that is wrong */
export function parseRunConfig(body: unknown, registered: RegisteredNames): RunConfig {
  const checked = checkRunConfig(body, registered);
  if ('issues' in checked) throw refusedConfig(checked.issues, checked.more);
  return checked.config;
}

export function refusedConfig(issues: readonly ApiIssue[], more?: number): Error {
  return refusedFor('invalid_run_configuration', 'The run configuration cannot be accepted', issues, more);
}
