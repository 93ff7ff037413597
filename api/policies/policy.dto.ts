import { z } from 'zod';
import { idPageQuery, listSchema } from '../common/list.dto.js';

export const policiesQuery = idPageQuery.extend({
  run_id: z.string().min(1).max(512),
  has_files: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true`: those whose files are there. `false`: those whose files were collected.'),
});
export type PoliciesQuery = z.infer<typeof policiesQuery>;

export const policySchema = z.object({
  id: z.string().describe('`<run>@<step>`. In a URL `@` may be written as it is, or as `%40`.'),
  object: z.literal('policy'),
  run_id: z.string(),
  step: z.int().describe('0 is the start, before any training.'),
  sha256: z.string().describe('Of its tensors.'),
  parent_sha256: z.string().nullable().describe('Of the policy that the step began with; null for policy 0.'),
  has_files: z.boolean().describe('Whether its files are there. Retention collects those that nothing needs.'),
  pinned_at: z.iso.datetime().nullable().describe('Since when it is kept whatever retention says; null if it is not.'),
  has_checkpoint: z.boolean().describe("Whether a checkpoint of it is there, with the optimiser's state."),
  evaluation: z
    .object({
      accuracy: z.number(),
      interval: z.array(z.number()).length(2).describe('95 % Wilson interval.'),
      questions: z.int(),
      correct: z.int(),
    })
    .nullable()
    .describe('On the held-out questions of its run, the last one; null if there was none.'),
  created_at: z.iso.datetime(),
});
export type PolicyDto = z.infer<typeof policySchema>;

export const policyListSchema = listSchema('Policy', policySchema);
