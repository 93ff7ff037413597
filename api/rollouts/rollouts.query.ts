import { z } from 'zod';
import { EXCLUDED_OUTCOMES, SCORED_OUTCOMES } from '../../contracts/flow.js';
import { idPageQuery, index, inQuery } from '../common/list.dto.js';
import { SORTS } from './sorted-rollouts.js';

export const runIdQuery = z.string().min(1).max(512);

const reward = inQuery(z.coerce.number());

export const rolloutsQuery = idPageQuery.extend({
  after: idPageQuery.shape.after.describe('`last_id` of the page before. It belongs to the sort of that page.'),
  run_id: runIdQuery,
  purpose: z.enum(['train', 'evaluation']).optional(),
  step: index.optional(),
  group: index.optional(),
  outcome: z.enum([...SCORED_OUTCOMES, ...EXCLUDED_OUTCOMES]).optional(),
  reward_min: reward.optional().describe('At least this reward. Rollouts without a reward are left out.'),
  reward_max: reward.optional().describe('At most this reward. Rollouts without a reward are left out.'),
  tool: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('A tool that one of its turns called; `none`: an unreadable plan.'),
  question: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe('A part of the question, in capitals or not. It holds no wildcards.'),
  sort: z
    .enum(SORTS)
    .optional()
    .describe(
      'By this value, `-`: from the largest down. Equal ones by step, group and rollout, in the same direction; rollouts without the value last. Without a sort: by purpose, step, group and rollout.',
    ),
});
export type RolloutsQuery = z.infer<typeof rolloutsQuery>;

/** The condition of each filter that is more than an equal column, with the filter as its parameter. */
export const CONDITIONS = {
  reward_min: 'rollout.reward >= :reward_min',
  reward_max: 'rollout.reward <= :reward_max',
  tool: 'rollout.tools @> to_jsonb(CAST(:tool AS text))',
  question: 'strpos(lower(rollout.question), lower(:question)) > 0',
} satisfies Partial<Record<keyof RolloutsQuery, string>>;
