import { z } from 'zod';
import { idPageQuery, index, listSchema } from '../common/list.dto.js';
import { rolloutSchema } from './rollout.dto.js';
import { runIdQuery } from './rollouts.query.js';

export const groupsQuery = idPageQuery.extend({ run_id: runIdQuery, step: index.optional() });
export type GroupsQuery = z.infer<typeof groupsQuery>;

const groupSchema = z.object({
  id: z.string().describe('Also the id of its Temporal workflow.'),
  object: z.literal('group'),
  run_id: z.string(),
  step: z.int(),
  group: z.int(),
  query_id: z.string(),
  family: z.string(),
  question: z.string(),
  scored: z.int().describe('Rollouts with a reward.'),
  excluded: z.int().describe('Rollouts without one: they teach nothing.'),
  reward_mean: z.number().nullable().describe('Of the scored rollouts.'),
  reward_std: z.number().nullable().describe('Of the scored rollouts, with n - 1; null if there are fewer than two.'),
  rollouts: z
    .array(rolloutSchema.pick({ id: true, outcome: true, reward: true, advantage: true }))
    .describe('The finished ones, in their order.'),
});
export type GroupDto = z.infer<typeof groupSchema>;

export const groupListSchema = listSchema('Group', groupSchema);
