import { z } from 'zod';
import { cellsOf } from '../../../contracts/benchmark-evaluation.js';
import { EXCLUDED_OUTCOMES, SCORED_OUTCOMES } from '../../../contracts/flow.js';
import { GRADES, isUndecided, type Grade } from '../../../contracts/scoring.js';
import type { BenchmarkEvaluation, Rollout } from '../../../infra/database/entities/index.js';
import { idPageQuery, index, listSchema } from '../../common/list.dto.js';

const gradeSchema = z
  .enum(GRADES)
  .describe(
    '`undecided`: no rule could tell and no judge was asked, so that it counts as wrong. `excluded`: an outage or a ' +
      'deadline ended the flow without an answer; it counts as wrong too.',
  );

export const answersQuery = idPageQuery.extend({
  grade: gradeSchema.optional(),
  cell: index.optional().describe('Of one line of the report, from 0.'),
});
export type AnswersQuery = z.infer<typeof answersQuery>;

const answerSchema = z.object({
  id: z.string().describe('Of its agent flow; contains slashes, so encode it in URLs.'),
  object: z.literal('evaluation.answer'),
  cell: z.int().describe("Its line of the report, from 0, in the order of the report's `cells`."),
  benchmark: z.string(),
  policy: z.string(),
  max_turns: z.int(),
  query_id: z.string(),
  trial: z.int().describe('From 0: which time the question was asked.'),
  question: z.string(),
  answer: z.string().nullable(),
  outcome: z.enum([...SCORED_OUTCOMES, ...EXCLUDED_OUTCOMES]),
  grade: gradeSchema,
  rule: z.string().nullable().describe('The rule of scoring that ruled, or could not; null if none was asked.'),
  judge: z
    .object({ model: z.string(), equivalent: z.boolean(), reason: z.string() })
    .nullable()
    .describe('What the judge said, if it was asked.'),
});
export type AnswerDto = z.infer<typeof answerSchema>;

export const answerListSchema = listSchema('EvaluationAnswer', answerSchema);

/** The truth is no part of it: no answer of the API has the truth of a held-out question. */
export function toAnswerDto({ config }: BenchmarkEvaluation, row: Rollout): AnswerDto {
  const { benchmark, policy, maxTurns } = cellsOf(config)[row.step];
  const { grading } = row;
  return {
    id: row.flowId,
    object: 'evaluation.answer',
    cell: row.step,
    benchmark: benchmark.name,
    policy,
    max_turns: maxTurns,
    query_id: row.queryId,
    trial: row.rolloutIndex,
    question: row.question,
    answer: row.answer,
    outcome: row.outcome,
    grade: gradeOf(row),
    rule: grading?.rule ?? null,
    judge: grading?.judge ?? null,
  };
}

function gradeOf({ reward, grading }: Rollout): Grade {
  if (reward === null) return 'excluded';
  if (isUndecided(grading)) return 'undecided';
  return reward === 1 ? 'right' : 'wrong';
}
