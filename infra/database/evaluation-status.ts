import type { DataSource } from 'typeorm';
import type { EvaluationReport, SetEvaluationStatusInput } from '../../contracts/benchmark-evaluation.js';
import { NEXT_WORK_STATUSES } from '../../contracts/submitted-flow.js';
import { BenchmarkEvaluation } from './entities/benchmark-evaluation.entity.js';
import { writeStatus } from './submission-rows.js';

/** Writes how an evaluation stands, as writeStatus() does. */
export async function writeEvaluationStatus({ manager }: DataSource, input: SetEvaluationStatusInput): Promise<void> {
  await writeStatus(manager, BenchmarkEvaluation, NEXT_WORK_STATUSES, input);
}

/** Keeps the report of an evaluation. It is a pure function of the recorded flows: a retry writes the same again. */
export async function writeEvaluationReport(
  dataSource: DataSource,
  id: string,
  report: EvaluationReport,
): Promise<void> {
  await dataSource.getRepository(BenchmarkEvaluation).update({ id }, { report: report });
}
