import { z } from 'zod';
import { optimisation, recordings, type Flaw } from './parts.js';

const schema = z
  .strictObject({
    objective: z.literal('sft'),
    ...recordings,
    ...optimisation,
  })
  .describe('Supervised fine-tuning on recorded trajectories.');

/** Combinations that no single key shows to be wrong. */
function contradictions({
  trajectories,
  mini_batches: parts,
  samples_per_step: samples,
}: z.infer<typeof schema>): Flaw[] {
  const { from_step: first, to_step: last } = trajectories;
  const found: Flaw[] = [];
  if (first > last) found.push({ path: ['trajectories', 'from_step'], message: `is after to_step ${last}` });
  if (parts > samples) {
    const message = `is more than samples_per_step (${samples}): a part would be empty`;
    found.push({ path: ['mini_batches'], message });
  }
  return found;
}

export const sft = { schema, contradictions };
