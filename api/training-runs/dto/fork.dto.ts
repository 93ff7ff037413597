import { z } from 'zod';
import { FORK_PART_NAMES } from '../../../contracts/identity.js';
import { MAX_INDEX } from '../../common/list.dto.js';

/** The body may be absent: express leaves `undefined` then. */
export const forkBody = z
  .strictObject({
    step: z
      .int()
      .min(0)
      .max(MAX_INDEX)
      .optional()
      .describe('Starts from the policy after this step; without it, after the last committed one.'),
    optimizer: z.boolean().default(false).describe("Also copies the run's optimiser state."),
    allow: z.array(z.enum(FORK_PART_NAMES)).default([]).describe('Parts in which the fork may differ from the run.'),
    overrides: z
      .record(z.string(), z.unknown())
      .default({})
      .describe(
        "A JSON merge patch (RFC 7396) of the run's configuration: what is named replaces what was there, `null` takes it away.",
      ),
  })
  .prefault({})
  .meta({ examples: [{ overrides: { steps: 20, training: { learning_rate: 1e-5 } } }] });
export type ForkBody = z.infer<typeof forkBody>;
