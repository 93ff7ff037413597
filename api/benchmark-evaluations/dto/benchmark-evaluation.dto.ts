import { z } from 'zod';
import type { BenchmarkEvaluation } from '../../../infra/database/entities/index.js';
import { evaluationConfigSchema } from '../../../contracts/evaluation-config.js';
import { listSchema } from '../../common/list.dto.js';
import { reportSchema, toReportDto } from './report.dto.js';

const STATUSES = [
  'queued',
  'running',
  'paused',
  'completed',
  'failed',
  'cancelled',
] as const satisfies BenchmarkEvaluation['status'][];

export const benchmarkEvaluationSchema = z.object({
  id: z.string().describe('Also the id of the Temporal workflow.'),
  object: z.literal('benchmark_evaluation'),
  name: z.string(),
  status: z.enum(STATUSES),
  flows: z.int().describe('Agent flows that have ended so far.'),
  config: evaluationConfigSchema.describe('With every default filled in.'),
  report: reportSchema.nullable(),
  failure: z
    .object({ type: z.string(), message: z.string() })
    .nullable()
    .describe('Why it is paused, or ended without a report.'),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
});
export type BenchmarkEvaluationDto = z.infer<typeof benchmarkEvaluationSchema>;

export const benchmarkEvaluationListSchema = listSchema('BenchmarkEvaluation', benchmarkEvaluationSchema);

export function toBenchmarkEvaluationDto(row: BenchmarkEvaluation, flows: number): BenchmarkEvaluationDto {
  return {
    id: row.id,
    object: 'benchmark_evaluation',
    name: row.name,
    status: row.status,
    flows,
    config: row.config,
    report: row.report && toReportDto(row.report),
    failure: row.failure && { type: row.failure.type, message: row.failure.message },
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}
