import type { BenchmarkEvaluation } from '../../infra/database/entities/index.js';
import type { BenchmarkEvaluationInput } from '../../contracts/benchmark-evaluation.js';
import type { WorkflowStart } from '../temporal/workflows.js';

const SUMMARY_LENGTH = 200;

/** How the workflow of a queued evaluation is started. One that was queued again goes on from the rows of its flows. */
export function startOfEvaluation(evaluation: BenchmarkEvaluation): WorkflowStart {
  const { id, name, config, statusVersion: version } = evaluation;
  const input: Omit<BenchmarkEvaluationInput, 'settings'> = { id, config, ...(version > 0 && { version }) };
  const benchmarks = config.benchmarks.map((benchmark) => benchmark.name).join(', ');
  return {
    input,
    isNext: version > 0,
    staticSummary: `${name}: ${config.policies.join(', ')} on ${benchmarks}`.slice(0, SUMMARY_LENGTH),
  };
}
