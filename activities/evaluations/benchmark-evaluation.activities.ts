import type { DataSource } from 'typeorm';
import { BenchmarkEvaluation } from '../../infra/database/entities/index.js';
import { writeEvaluationReport, writeEvaluationStatus } from '../../infra/database/evaluation-status.js';
import { type BenchmarkEvaluationActivities, cellsOf } from '../../contracts/benchmark-evaluation.js';
import { FailureType } from '../../contracts/failures.js';
import { nonRetryable } from '../failures/non-retryable.js';
import { readFlows } from './flow-rows.js';
import { reportOf } from './report.js';
import { inTurns } from './statistics/slices.js';

/** What a benchmark evaluation writes about itself. Each may be called again with the same input. */
export function createBenchmarkEvaluationActivities(dataSource: DataSource): BenchmarkEvaluationActivities {
  return {
    setEvaluationStatus: (input) => writeEvaluationStatus(dataSource, input),
    reportEvaluation: async ({ id }) => {
      const evaluation = await dataSource.getRepository(BenchmarkEvaluation).findOneBy({ id });
      if (!evaluation) throw nonRetryable(FailureType.NotFound, `There is no evaluation "${id}".`);
      const report = await inTurns(reportOf(cellsOf(evaluation.config), await readFlows(dataSource, id)));
      await writeEvaluationReport(dataSource, id, report);
      return { cells: report.cells.length };
    },
  };
}
