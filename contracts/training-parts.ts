import type { RecordedTraining, Training } from './training-config.js';

/*
 * Which parts a run's training has (contracts/objectives/parts.ts): what decides where its samples come from and what it
 * compares with. No code outside of the objectives asks for an objective's name.
 */

/** Whether samples are recorded turns of another run; else they are rollouts of the policy that trains. */
export function isRecorded(training: Training): training is RecordedTraining {
  return 'trajectories' in training;
}

/** The reference policy: its name, or `base` for the base model; undefined if the training compares with none. */
export function referenceOf(training: Training): string | undefined {
  return 'kl' in training ? training.kl.reference : undefined;
}
