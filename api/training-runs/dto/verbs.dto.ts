import { z } from 'zod';

/** The bodies of verbs may be absent: express leaves `undefined` then. */
export const pauseBody = z
  .strictObject({
    now: z.boolean().default(false).describe('Stop rollouts before their next activity, not after the step.'),
  })
  .prefault({});
export type PauseBody = z.infer<typeof pauseBody>;

export const learningRateBody = z.strictObject({ learning_rate: z.number().positive().max(1) });
export type LearningRateBody = z.infer<typeof learningRateBody>;

export const extendBody = z.strictObject({
  steps: z.int().min(1).max(1_000_000).describe('The new total number of training steps.'),
});
export type ExtendBody = z.infer<typeof extendBody>;
