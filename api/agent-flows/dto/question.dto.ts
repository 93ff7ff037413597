import { z } from 'zod';
import { flowSchema, registeredName } from '../../../contracts/flow-config.js';
import { IMAGE_TYPES, imageTypeOf, MAX_IMAGE_BYTES, MAX_IMAGES } from '../../../contracts/images.js';
import { policyName } from '../../../contracts/names.js';

/** Neither a gap nor a character without a shape, such as a zero-width space or a blank of Braille. */
const VISIBLE = /[^\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;
const TOO_LARGE = `is larger than ${MAX_IMAGE_BYTES} bytes`;

const image = z
  .strictObject({
    media_type: z.enum(IMAGE_TYPES).describe('Type of the picture.'),
    data: z
      .base64({ abort: true })
      .min(1, { abort: true })
      .max(Math.ceil(MAX_IMAGE_BYTES / 3) * 4, { abort: true, error: TOO_LARGE })
      .meta({ title: 'base64', description: `The picture, at most ${MAX_IMAGE_BYTES} bytes.` }),
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
  name: registeredName.default('atlas').describe('The dataset.'),
  seed: z.int().min(0).max(0xffff_ffff).default(7).describe('Seed of a made-up world.'),
});

/** A question with how it is to be answered. Data only (I12): it names what the operator registered. */
export const questionSchema = z
  .strictObject({
    question: z
      .string()
      .trim()
      .min(1, { abort: true })
      .max(8_000)
      .refine((text) => VISIBLE.test(text), 'has no character that can be seen')
      .describe('What is asked.'),
    images: z
      .array(image)
      .max(MAX_IMAGES)
      .default([])
      .describe('Pictures, for modules whose language model takes pictures.'),
    flow: flowSchema.prefault({}).describe('How the question is answered.'),
    model: registeredName
      .optional()
      .describe(
        'The model that serves the modules bound to `policy`. Without it: the model of `policy`, or the first that is registered.',
      ),
    dataset: dataset.prefault({}).describe('The dataset whose texts the tool `lookup` searches.'),
    policy: policyName.optional().describe('The policy that plans. Without it the untrained model plans.'),
    max_turns: z.int().min(1).max(50).optional().describe('Takes the place of `flow.max_turns`.'),
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .optional()
      .describe(
        'If it is given, the planner samples at its temperature with this seed. Otherwise it takes its likeliest tokens.',
      ),
  })
  .meta({ examples: [{ question: 'Which river flows through the capital of France?', max_turns: 3 }] });

export type Question = z.infer<typeof questionSchema>;
