import type { OperatorFile } from '../../infra/config/operator-file.js';
import { evaluationConfigSchema, type EvaluationConfig } from '../../workflows/contracts/evaluation-config.js';
import type { ApiIssue } from '../common/api-error.js';
import { describeIssues, refusal } from '../training-runs/config/config-issues.js';
import { nothingToAsk, unregisteredInFlow, unregisteredName } from '../training-runs/config/registered-names.js';

type Registered = Pick<OperatorFile, 'models' | 'tools' | 'datasets' | 'language_models'>;

/**
 * A submitted body as a complete evaluation: every default filled in, every name registered.
 * @throws ApiError 400 that lists everything that is wrong
 */
export function parseEvaluationConfig(body: unknown, registered: Registered): EvaluationConfig {
  const parsed = evaluationConfigSchema.safeParse(body, { reportInput: true });
  if (!parsed.success) {
    throw refusedEvaluation(describeIssues({ schema: evaluationConfigSchema, value: body }, parsed.error.issues));
  }
  const unknown = unregistered(parsed.data, registered);
  if (unknown.length > 0) throw refusedEvaluation(unknown);
  return parsed.data;
}

export function refusedEvaluation(issues: ApiIssue[]): Error {
  return refusal('invalid_evaluation', 'The evaluation', issues);
}

function unregistered({ model, benchmarks, flow }: EvaluationConfig, registered: Registered): ApiIssue[] {
  const datasets = Object.keys(registered.datasets);
  return [
    unregisteredName('model', 'model', model, Object.keys(registered.models)),
    ...benchmarks.map(({ name }, i) => unregisteredName(`benchmarks[${i}].name`, 'dataset', name, datasets)),
    ...benchmarks.map(({ name }, i) => nothingToAsk(`benchmarks[${i}].name`, name, registered.datasets)),
    ...unregisteredInFlow(flow, registered),
    ...benchmarks.map(endless),
  ].filter((issue) => issue !== undefined);
}

/** A made-up world never runs out of questions. */
function endless({ name, questions }: EvaluationConfig['benchmarks'][number], i: number): ApiIssue | undefined {
  if (name !== 'atlas' || questions !== undefined) return undefined;
  const param = `benchmarks[${i}].questions`;
  return { param, message: `${param}: is required: ${name} has as many questions as one asks for` };
}
