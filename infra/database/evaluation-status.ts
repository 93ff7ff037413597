import type { DataSource } from 'typeorm';
import type {
  EvaluationReport,
  EvaluationStatus,
  SetEvaluationStatusInput,
} from '../../workflows/contracts/benchmark-evaluation.js';
import { BenchmarkEvaluation } from './entities/benchmark-evaluation.entity.js';

const ENDED: readonly EvaluationStatus[] = ['completed', 'failed', 'cancelled'];

/** Whether an evaluation in this status will never do anything again. */
export function isOver(status: EvaluationStatus): boolean {
  return ENDED.includes(status);
}

/** Writes how an evaluation stands. A version that is not newer than the stored one changes nothing (design 9). */
export async function writeEvaluationStatus(dataSource: DataSource, input: SetEvaluationStatusInput): Promise<void> {
  const { id, version, status, failure = null } = input;
  await dataSource
    .createQueryBuilder()
    .update(BenchmarkEvaluation)
    .set({
      status,
      statusVersion: version,
      failure,
      ...(status === 'running' && { startedAt: () => 'now()' }),
      ...(isOver(status) && { finishedAt: () => 'now()' }),
    })
    .where('id = :id AND status_version < :version', { id, version })
    .execute();
}

/** Keeps the report of an evaluation. It is a pure function of the recorded flows: a retry writes the same again. */
export async function writeEvaluationReport(
  dataSource: DataSource,
  id: string,
  report: EvaluationReport,
): Promise<void> {
  await dataSource.getRepository(BenchmarkEvaluation).update({ id }, { report: report });
}
