import type { BenchmarkEvaluation } from '../../infra/database/entities/index.js';
import type { BenchmarkEvaluationInput } from '../../workflows/contracts/benchmark-evaluation.js';
import { AGENT_TASK_QUEUE } from '../../workflows/contracts/task-queues.js';
import { WorkflowCalls } from './workflow-calls.js';

/** The API's only way to the `benchmarkEvaluation` workflows: a workflow's id is its evaluation's id. */
export class EvaluationWorkflows extends WorkflowCalls {
  /**
   * Starts the workflow of a queued evaluation. Starting it twice is harmless.
   * @param deadlineMs how long to wait for the Temporal server
   * @returns false where the evaluation's workflow has already ended
   */
  async start({ id, name, config }: BenchmarkEvaluation, deadlineMs = this.deadlineMs): Promise<boolean> {
    const input: BenchmarkEvaluationInput = { id, config, settings: this.settings };
    const benchmarks = config.benchmarks.map((benchmark) => benchmark.name).join(', ');
    const options = {
      workflowId: id,
      taskQueue: AGENT_TASK_QUEUE,
      args: [input],
      staticSummary: `${name}: ${config.policies.join(', ')} on ${benchmarks}`.slice(0, 200),
    };
    return this.startOnce('benchmarkEvaluation', options, deadlineMs);
  }
}
