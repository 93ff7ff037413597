import {
  CancellationScope,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  patched,
  setCurrentDetails,
} from '@temporalio/workflow';
import { runCalls } from './calls.js';
import { inheritedAttributes } from './child-options.js';
import type { RunFailure } from '../contracts/failures.js';
import type { PolicyRef } from '../contracts/artifacts.js';
import {
  type BenchmarkEvaluationInput,
  type Cell,
  cellsOf,
  type SetEvaluationStatusInput,
  type StoppedCell,
} from '../contracts/benchmark-evaluation.js';
import { evaluationProgress } from './details.js';
import { evaluationCell } from './evaluation-cell.workflow.js';
import { lastFailure, pausingFailure } from './failed-calls.js';
import { Pauses } from './pauses.js';
import { rowWriter } from './row-writer.js';

/**
 * Benchmarks x policies x turn budgets, one cell after the other, each question as often as there are trials. The
 * report is made of the recorded flows when all have ended. A failure of the closed list pauses it.
 */
export async function benchmarkEvaluation(input: BenchmarkEvaluationInput): Promise<void> {
  const calls = runCalls(input.settings);
  let version = input.version ?? 0;
  const tell = (status: Omit<SetEvaluationStatusInput, 'id' | 'version' | 'writer'>) => {
    version += 1;
    const entry = { id: input.id, version, writer: rowWriter(), ...status };
    return calls.setEvaluationStatus.executeWithOptions({ summary: status.status }, [entry]);
  };
  const pauses = new Pauses((status, failure) => tell({ status, failure }), pausesFor);
  try {
    await tell({ status: 'running' });
    await runCells(input, pauses);
    await pauses.attempt(() => calls.reportEvaluation({ id: input.id }));
  } catch (error) {
    const end = isCancellation(error)
      ? { status: 'cancelled' as const }
      : { status: 'failed' as const, failure: lastFailure(error) };
    await CancellationScope.nonCancellable(() => tell(end));
    throw error;
  }
  await CancellationScope.nonCancellable(() => tell({ status: 'completed' }));
}

/** Thrown within the workflow only, if a cell has stopped because of a failure. */
class CellStopped extends Error {
  constructor(readonly failure: RunFailure) {
    super(failure.message);
  }
}

function pausesFor(error: unknown): RunFailure | undefined {
  if (error instanceof CellStopped) return error.failure;
  const failure = pausingFailure(error);
  return failure && patched('evaluations-pause') ? failure : undefined;
}

async function runCells(input: BenchmarkEvaluationInput, pauses: Pauses): Promise<void> {
  const policies = await pauses.attempt(() => resolvePolicies(input));
  const cells = cellsOf(input.config);
  const asked: number[] = [];
  const show = () => setCurrentDetails(evaluationProgress(input.config, cells, asked));
  for (const cell of cells) {
    let from = 0;
    const flows = await pauses.attempt(async () => {
      show();
      const end = await runCell(input, cell, policies.get(cell.policy), from, pauses.budgets);
      if (typeof end === 'number') return end;
      from = end.asked;
      throw new CellStopped(end.failure);
    });
    asked.push(flows);
  }
  show();
}

function runCell(
  input: BenchmarkEvaluationInput,
  cell: Cell,
  policy: PolicyRef | undefined,
  asked: number,
  budgets: number,
): Promise<number | StoppedCell> {
  return executeChild(evaluationCell, {
    workflowId: `${input.id}/${cell.index}`,
    args: [{ ...input, cell, policy, asked, budgets }],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `${cell.benchmark.name}, ${cell.policy}, at most ${cell.maxTurns} turns`,
    typedSearchAttributes: inheritedAttributes(),
  });
}

/** Once, when the evaluation begins (I11). */
async function resolvePolicies({ config, settings }: BenchmarkEvaluationInput): Promise<Map<string, PolicyRef>> {
  const { resolvePolicy } = runCalls(settings);
  const names = config.policies.filter((name) => name !== 'base');
  const refs = await Promise.all(names.map((name) => resolvePolicy({ name, model: config.model })));
  return new Map(names.map((name, i) => [name, refs[i]]));
}
