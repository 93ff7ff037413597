import { z } from 'zod';
import { flowSchema, registeredName } from '../../../workflows/contracts/flow-config.js';
import { policyName } from '../../../workflows/contracts/training-config.js';

/** What most providers take at most, for one picture: 4 MiB, in base64. */
const MAX_IMAGE_LENGTH = Math.ceil((4 * 1024 * 1024) / 3) * 4;

const image = z.strictObject({
  media_type: z.enum(['image/png', 'image/jpeg', 'image/webp', 'image/gif']),
  data: z.base64().min(1).max(MAX_IMAGE_LENGTH, 'is larger than 4 MiB'),
});
export type QuestionImage = z.infer<typeof image>;

const dataset = z.strictObject({
  name: registeredName.default('atlas'),
  /** Seed of the made-up world. */
  seed: z.int().min(0).max(0xffff_ffff).default(7),
});

/** A question with how it is to be answered. Data only (I12): it names what the operator registered. */
export const questionSchema = z.strictObject({
  question: z.string().trim().min(1).max(8_000),
  images: z.array(image).max(4).default([]).describe('For modules whose language model takes pictures.'),
  flow: flowSchema.prefault({}),
  model: registeredName
    .optional()
    .describe('Serves what is bound to `policy`. Default: the model of `policy`, or the first that is registered.'),
  dataset: dataset.prefault({}).describe('Whose texts the tool `lookup` searches.'),
  policy: policyName.optional().describe('What plans, <run>@<step>; without it the untrained model does.'),
  max_turns: z.int().min(1).max(50).optional().describe('In the place of `flow.max_turns`.'),
  seed: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .optional()
    .describe('Of the planner, which samples at its temperature. Without it, it takes its likeliest words.'),
});

export type Question = z.infer<typeof questionSchema>;
