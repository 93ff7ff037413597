import { z } from 'zod';
import { flowGrpo } from './objectives/flow-grpo.js';
import type { Flaw } from './objectives/parts.js';
import { sft } from './objectives/sft.js';

/**
 * `training` of a run's configuration. What belongs to one choice is written inside that choice, so that an option that
 * would do nothing is an unknown key, and an error before anything runs. The Python trainer holds the same schema
 * (worker/gpu/flow_grpo/trainer/objectives/) and reads it from the batch.
 */
export const trainingSchema = z.discriminatedUnion('objective', [flowGrpo.schema, sft.schema]);

export type Training = z.infer<typeof trainingSchema>;
/** Learns from rollouts of the policy that it trains. */
export type RolloutTraining = Extract<Training, { group_size: number }>;
/** Learns from recorded turns. */
export type RecordedTraining = Extract<Training, { trajectories: object }>;

const objectives = { 'flow-grpo': flowGrpo, sft };

/** Combinations that no single key shows to be wrong. */
export function contradictions(training: Training): Flaw[] {
  const { contradictions: found } = objectives[training.objective ?? 'flow-grpo'];
  return found(training as never);
}
