import { runConfigSchema, type RunConfig } from '../../../workflows/contracts/run-config.js';
import type { ApiIssue } from '../../common/api-error.js';
import { describeIssues, refusal } from './config-issues.js';
import { unregisteredNames, type RegisteredNames } from './registered-names.js';

/**
 * A submitted body as a complete run configuration: every default filled in, every name registered.
 * @throws ApiError 400 that lists everything that is wrong
 */
export function parseRunConfig(body: unknown, registered: RegisteredNames): RunConfig {
  const parsed = runConfigSchema.safeParse(body, { reportInput: true });
  if (!parsed.success)
    throw refusedConfig(describeIssues({ schema: runConfigSchema, value: body }, parsed.error.issues));
  const unknown = unregisteredNames(parsed.data, registered);
  if (unknown.length > 0) throw refusedConfig(unknown);
  return parsed.data;
}

export function refusedConfig(issues: ApiIssue[]): Error {
  return refusal('invalid_run_configuration', 'The run configuration', issues);
}
