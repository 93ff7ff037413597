import { z } from 'zod';
import type { Rollout } from '../../infra/database/entities/index.js';
import { EXCLUDED_OUTCOMES, SCORED_OUTCOMES } from '../../contracts/flow.js';
import { MISTAKE_KINDS } from '../../contracts/mistakes.js';
import { listSchema } from '../common/list.dto.js';

export const memoryEntrySchema = z.object({
  turn: z.int(),
  tool: z.string().optional(),
  subGoal: z.string().optional(),
  command: z.string().optional(),
  result: z.string().optional(),
  mistake: z.string().optional(),
  mistakeKind: z.enum(MISTAKE_KINDS).optional().describe('Present with `mistake`.'),
  verdict: z.enum(['STOP', 'CONTINUE']),
  critique: z.string(),
});

export const rolloutSchema = z.object({
  id: z.string().describe('Also the id of its Temporal workflow; contains slashes, so encode it in URLs.'),
  object: z.literal('rollout'),
  run_id: z.string(),
  purpose: z.enum(['train', 'evaluation', 'ask']),
  step: z.int(),
  group: z.int(),
  rollout: z.int(),
  query_id: z.string(),
  family: z.string(),
  question: z.string(),
  outcome: z.enum([...SCORED_OUTCOMES, ...EXCLUDED_OUTCOMES]),
  reward: z.number().nullable().describe('Null unless the outcome is a scored one.'),
  advantage: z
    .number()
    .nullable()
    .describe(
      'With which it teaches in its step, known when the batch of the step is frozen. Null if it teaches nothing, and for rollouts of earlier versions.',
    ),
  answer: z.string().nullable(),
  turns: z.int(),
  tools: z.array(z.string()),
  memory: z.array(memoryEntrySchema),
  policy: z.string().nullable().describe('Null if no policy of a run planned.'),
  policy_sha256: z.string().nullable(),
  created_at: z.iso.datetime(),
});
export type RolloutDto = z.infer<typeof rolloutSchema>;

export const rolloutListSchema = listSchema('Rollout', rolloutSchema);

export function toRolloutDto(row: Rollout): RolloutDto {
  return {
    id: row.flowId,
    object: 'rollout',
    run_id: row.submissionId,
    purpose: row.purpose,
    step: row.step,
    group: row.groupIndex,
    rollout: row.rolloutIndex,
    query_id: row.queryId,
    family: row.family,
    question: row.question,
    outcome: row.outcome,
    reward: row.reward,
    advantage: row.advantage,
    answer: row.answer,
    turns: row.turns,
    tools: row.tools,
    memory: row.memory,
    policy: row.policyName,
    policy_sha256: row.policySha256,
    created_at: row.createdAt.toISOString(),
  };
}
