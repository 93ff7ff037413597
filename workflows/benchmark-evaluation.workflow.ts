import {
  CancellationScope,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  setCurrentDetails,
} from '@temporalio/workflow';
import { runCalls } from './calls.js';
import { cellsOf } from './contracts/cells.js';
import type { BenchmarkEvaluationInput, SetEvaluationStatusInput } from './contracts/benchmark-evaluation.js';
import type { PolicyRef } from './contracts/artifacts.js';
import { evaluationProgress } from './details.js';
import { evaluationCell } from './evaluation-cell.workflow.js';
import { listedFailure } from './failed-calls.js';

/**
 * Benchmarks x policies x turn budgets, one cell after the other, each question as often as there are trials. The report
 * is made of the recorded flows when all have ended.
 */
export async function benchmarkEvaluation(input: BenchmarkEvaluationInput): Promise<void> {
  const calls = runCalls(input.settings);
  const tell = (status: Omit<SetEvaluationStatusInput, 'id'>) =>
    calls.setEvaluationStatus.executeWithOptions({ summary: status.status }, [{ id: input.id, ...status }]);
  try {
    await tell({ version: 1, status: 'running' });
    await runCells(input);
    await calls.reportEvaluation({ id: input.id });
  } catch (error) {
    const end = isCancellation(error)
      ? { status: 'cancelled' as const }
      : { status: 'failed' as const, failure: listedFailure(error) ?? { type: 'Unexpected', message: String(error) } };
    await CancellationScope.nonCancellable(() => tell({ version: 2, ...end }));
    throw error;
  }
  await CancellationScope.nonCancellable(() => tell({ version: 2, status: 'completed' }));
}

async function runCells(input: BenchmarkEvaluationInput): Promise<void> {
  const policies = await resolvePolicies(input);
  const cells = cellsOf(input.config);
  const asked: number[] = [];
  for (const cell of cells) {
    setCurrentDetails(evaluationProgress(input.config, cells, asked));
    const flows = await executeChild(evaluationCell, {
      workflowId: `${input.id}/${cell.index}`,
      args: [{ ...input, cell, policy: policies.get(cell.policy), asked: 0 }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `${cell.benchmark.name}, ${cell.policy}, at most ${cell.maxTurns} turns`,
    });
    asked.push(flows);
  }
  setCurrentDetails(evaluationProgress(input.config, cells, asked));
}

/** Once, when the evaluation begins (I11). */
async function resolvePolicies({ config, settings }: BenchmarkEvaluationInput): Promise<Map<string, PolicyRef>> {
  const { resolvePolicy } = runCalls(settings);
  const names = config.policies.filter((name) => name !== 'base');
  const refs = await Promise.all(names.map((name) => resolvePolicy({ name, model: config.model })));
  return new Map(names.map((name, i) => [name, refs[i]]));
}
