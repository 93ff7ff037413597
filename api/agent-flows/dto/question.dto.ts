import { z } from 'zod';
import { flowSchema, registeredName } from '../../../workflows/contracts/flow-config.js';
import { IMAGE_TYPES, imageTypeOf, MAX_IMAGE_BYTES, MAX_IMAGES } from '../../../workflows/contracts/images.js';
import { policyName } from '../../../workflows/contracts/training-config.js';

const TOO_LARGE = `is larger than ${MAX_IMAGE_BYTES} bytes`;

const image = z
  .strictObject({
    media_type: z.enum(IMAGE_TYPES),
    data: z
      .base64({ abort: true })
      .min(1, { abort: true })
      .max(Math.ceil(MAX_IMAGE_BYTES / 3) * 4, { abort: true, error: TOO_LARGE }),
  })
  .check(({ value, issues }) => {
    const content = Buffer.from(value.data, 'base64');
    const say = (key: string, message: string) =>
      issues.push({ code: 'custom', path: [key], message, input: undefined });
    if (content.length > MAX_IMAGE_BYTES) say('data', TOO_LARGE);
    const type = imageTypeOf(content);
    if (type === undefined) say('data', `is no picture of ${IMAGE_TYPES.join(', ')}`);
    else if (type !== value.media_type) say('media_type', `is not what the data is: ${type}`);
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
  images: z.array(image).max(MAX_IMAGES).default([]).describe('For modules whose language model takes pictures.'),
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
