import { runConfigSchema, type RunConfig } from '../../../contracts/run-config.js';
import { oversized } from '../../../contracts/step-size.js';
import { describeIssues, type Checked } from './config-issues.js';
import { impossibleInFlow } from './impossible-flow.js';
import { unregisteredNames, type RegisteredNames } from './registered-names.js';

/** Also refuses what is larger than Temporal and the models take. */
export function checkRunConfig(value: unknown, registered: RegisteredNames): Checked<RunConfig> {
  const parsed = runConfigSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) return describeIssues({ schema: runConfigSchema, value }, parsed.error.issues);
  const unknown = unregisteredNames(parsed.data, registered);
  if (unknown.length > 0) return { issues: unknown, more: 0 };
  const { flow, model } = parsed.data;
  const impossible = [...impossibleInFlow(flow, model, registered), ...oversized(parsed.data)];
  return impossible.length > 0 ? { issues: impossible, more: 0 } : { config: parsed.data };
}
