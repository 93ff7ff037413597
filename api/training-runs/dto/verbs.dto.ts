import { z } from 'zod';
import { CHANGEABLE_PART_NAMES } from '../../../contracts/identity.js';
import { MAX_STEPS } from '../../../contracts/run-limits.js';

/** The bodies of verbs may be absent: express leaves `undefined` then. */
export const pauseBody = z
  .strictObject({
    now: z.boolean().default(false).describe('Stop rollouts before their next activity, not after the step.'),
  })
  .prefault({})
  .meta({ examples: [{ now: true }] });
export type PauseBody = z.infer<typeof pauseBody>;

export const resumeBody = z
  .strictObject({
    allow: z
      .array(z.enum(CHANGEABLE_PART_NAMES))
      .default([])
      .describe('Parts of the identity that changed since the run began: the run goes on with them as they are now.'),
  })
  .prefault({})
  .meta({ examples: [{ allow: ['trajectories'] }] });
export type ResumeBody = z.infer<typeof resumeBody>;

const learningRate = z.number().positive().max(1);

export const learningRateBody = z
  .strictObject({ learning_rate: learningRate })
  .meta({ examples: [{ learning_rate: 5e-5 }] });
export type LearningRateBody = z.infer<typeof learningRateBody>;

export const extendBody = z
  .strictObject({ steps: z.int().min(1).max(MAX_STEPS).describe('The new total number of training steps.') })
  .meta({ examples: [{ steps: 40 }] });
export type ExtendBody = z.infer<typeof extendBody>;

export const decideBody = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('skip-group'),
      groups: z.array(z.int().min(0)).min(1).optional().describe('Without it, the groups that the failure names.'),
    }),
    z.strictObject({ kind: z.literal('skip-step') }),
    z.strictObject({ kind: z.literal('learning-rate'), learning_rate: learningRate }),
  ])
  .meta({
    examples: [
      { kind: 'skip-group', groups: [3] },
      { kind: 'learning-rate', learning_rate: 5e-5 },
    ],
  });
export type DecideBody = z.infer<typeof decideBody>;
