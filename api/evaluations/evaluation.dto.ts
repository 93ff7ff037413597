import { z } from 'zod';
import type { HeldOutEvaluation } from '../../infra/database/entities/index.js';
import { listSchema } from '../common/list.dto.js';

const familySchema = z.object({ questions: z.int(), correct: z.int(), accuracy: z.number() });

const evaluationSchema = z.object({
  id: z.string(),
  object: z.literal('evaluation'),
  run_id: z.string(),
  step: z.int(),
  planner: z.enum(['policy', 'random', 'oracle']),
  policy: z.string(),
  policy_sha256: z.string(),
  questions: z.int(),
  correct: z.int(),
  failed: z.int().describe('Flows that ended excluded: counted as wrong, shown apart.'),
  accuracy: z.number(),
  interval: z.tuple([z.number(), z.number()]).describe('95 % Wilson interval.'),
  by_family: z.record(z.string(), familySchema),
  mean_turns: z.number(),
  tool_mix: z.record(z.string(), z.number()),
  created_at: z.iso.datetime(),
});
export type EvaluationDto = z.infer<typeof evaluationSchema>;

export const evaluationListSchema = listSchema('Evaluation', evaluationSchema);

export function toEvaluationDto(row: HeldOutEvaluation): EvaluationDto {
  return {
    id: row.id,
    object: 'evaluation',
    run_id: row.runId,
    step: row.step,
    planner: row.planner,
    policy: row.policyName,
    policy_sha256: row.policySha256,
    questions: row.questions,
    correct: row.correct,
    failed: row.failed,
    accuracy: row.accuracy,
    interval: [row.intervalLow, row.intervalHigh],
    by_family: row.byFamily,
    mean_turns: row.meanTurns,
    tool_mix: row.toolMix,
    created_at: row.createdAt.toISOString(),
  };
}
