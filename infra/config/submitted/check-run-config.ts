import { runConfigSchema, type RunConfig } from '../../../contracts/run-config.js';
import { oversized } from '../../../contracts/step-size.js';
import { describeIssues, type DescribedIssues } from './config-issues.js';
import { impossibleInFlow } from './impossible-flow.js';
import { unregisteredNames, type RegisteredNames } from './registered-names.js';

/**
 * A submitted value as a complete run configuration: every default filled in, every name registered, nothing that cannot
 * work, and of a size that Temporal and the models take; or everything that is wrong with it.
 */
export function checkRunConfig(value: unknown, registered: RegisteredNames): { config: RunConfig } | DescribedIssues {
  const parsed = runConfigSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) return describeIssues({ schema: runConfigSchema, value }, parsed.error.issues);
  const unknown = unregisteredNames(parsed.data, registered);
  if (unknown.length > 0) return { issues: unknown, more: 0 };
  const { flow, model } = parsed.data;
  const impossible = [...impossibleInFlow(flow, model, registered), ...oversized(parsed.data)];
  return impossible.length > 0 ? { issues: impossible, more: 0 } : { config: parsed.data };
}
