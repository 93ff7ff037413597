import { evaluationConfigSchema, type EvaluationConfig } from '../../../contracts/evaluation-config.js';
import { describeIssues, type Checked, type ConfigIssue } from './config-issues.js';
import { impossibleInFlow } from './impossible-flow.js';
import {
  nothingToAsk,
  unknownDataset,
  unregisteredInFlow,
  unregisteredName,
  type RegisteredNames,
} from './registered-names.js';

export function checkEvaluationConfig(value: unknown, registered: RegisteredNames): Checked<EvaluationConfig> {
  const parsed = evaluationConfigSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) return describeIssues({ schema: evaluationConfigSchema, value }, parsed.error.issues);
  const unknown = unregistered(parsed.data, registered);
  if (unknown.length > 0) return { issues: unknown, more: 0 };
  const impossible = impossibleInFlow(parsed.data.flow, parsed.data.model, registered);
  return impossible.length > 0 ? { issues: impossible, more: 0 } : { config: parsed.data };
}

function unregistered({ model, benchmarks, flow }: EvaluationConfig, registered: RegisteredNames): ConfigIssue[] {
  return [
    unregisteredName('model', 'model', model, Object.keys(registered.models)),
    ...benchmarks.map(({ name }, i) => unknownDataset(`benchmarks[${i}].name`, name, registered)),
    ...benchmarks.map(({ name }, i) => nothingToAsk(`benchmarks[${i}].name`, name, registered.datasets)),
    ...unregisteredInFlow(flow, registered),
    ...benchmarks.map(endless),
  ].filter((issue) => issue !== undefined);
}

/** A made-up world never runs out of questions. */
function endless({ name, questions }: EvaluationConfig['benchmarks'][number], i: number): ConfigIssue | undefined {
  if (name !== 'atlas' || questions !== undefined) return undefined;
  const param = `benchmarks[${i}].questions`;
  return { param, message: `${param}: is required: ${name} has no last question, so it cannot ask all` };
}
