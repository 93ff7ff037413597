import { z } from 'zod';
import { listSchema } from '../../common/list.dto.js';

const counts = {
  calls: z.int().describe('Of models. A reply that was found again, or that the cache gave, is not counted.'),
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  unmetered_calls: z.int().describe('Those of `calls` whose provider did not say how many tokens they took.'),
  cost: z
    .number()
    .nullable()
    .describe(
      "Of language models, by the operator's prices when they were asked. Null if none of the calls has a price.",
    ),
  unpriced_calls: z.int().describe('Calls of language models without a price: `cost` is without them.'),
};

const model = z.object({
  kind: z
    .enum(['planner', 'policy', 'language_model'])
    .describe('`policy`: what other modules than the planner asked of a policy, or of the untrained base.'),
  name: z
    .string()
    .nullable()
    .describe(
      'Of a policy the run that it belongs to, or the base model; of a language model its registered name. Null if the row of an older version does not say.',
    ),
  ...counts,
});

const figures = z.object({
  ...counts,
  tool_calls: z.int(),
  trainer_seconds: z.number().describe('Of training steps.'),
  models: z.array(model).describe('The calls, by model.'),
  tools: z.array(z.object({ name: z.string().nullable(), calls: z.int() })),
});
export type UsageFigures = z.infer<typeof figures>;

const usageSchema = z.object({
  object: z.literal('usage'),
  run_id: z
    .string()
    .nullable()
    .describe('The run, asked flow or evaluation, which may be deleted by now. Null of a day.'),
  day: z.iso.date().nullable().describe('In UTC. Null of a run.'),
  ...figures.shape,
});
export type UsageDto = z.infer<typeof usageSchema>;

export const usageReportSchema = listSchema('Usage', usageSchema).extend({
  by: z.enum(['run', 'day']),
  from: z.iso.date(),
  to: z.iso.date(),
  time_zone: z.literal('UTC'),
  total: figures.describe('Of all these days, also beyond this page.'),
});
export type UsageReportDto = z.infer<typeof usageReportSchema>;
