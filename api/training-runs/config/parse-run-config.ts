import { runConfigSchema, type RunConfig } from '../../../workflows/contracts/run-config.js';
import { badRequest, type ApiIssue } from '../../common/api-error.js';
import { describeIssues } from './config-issues.js';
import { unregisteredNames, type RegisteredNames } from './registered-names.js';

/**
 * A submitted body as a complete run configuration: every default filled in, every name registered.
 * @throws ApiError 400 that lists everything that is wrong
 */
export function parseRunConfig(body: unknown, registered: RegisteredNames): RunConfig {
  const parsed = runConfigSchema.safeParse(body, { reportInput: true });
  if (!parsed.success) throw refusal(describeIssues({ schema: runConfigSchema, value: body }, parsed.error.issues));
  const unknown = unregisteredNames(parsed.data, registered);
  if (unknown.length > 0) throw refusal(unknown);
  return parsed.data;
}

function refusal(issues: ApiIssue[]): Error {
  const lines = issues.map(({ message }) => `- ${message}`);
  const message = `The run configuration cannot be accepted:\n${lines.join('\n')}`;
  return badRequest('invalid_run_configuration', message, { param: issues[0]?.param, issues });
}
