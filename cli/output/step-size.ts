import type { RunConfig } from '../../contracts/run-config.js';
import { isRecorded } from '../../contracts/training-parts.js';

/** What a step of a run consists of, as far as the configuration alone tells. */
export type StepSize = SampledStep | RecordedStep;

interface SampledStep {
  /** Groups of the batch. */
  groups: number;
  /** Questions drawn at most: more than the groups where it over-samples. */
  draws: number;
  /** At most. */
  rollouts: number;
  /** Sampled planner responses at most: the rows of the batch, and those of groups that it leaves out. */
  turns: number;
  /** Of the optimiser. */
  updates: number;
}

interface RecordedStep {
  samples: number;
  updates: number;
}

export function stepSize({ training, flow }: RunConfig): StepSize {
  const updates = training.epochs * training.mini_batches;
  if (isRecorded(training)) return { samples: training.samples_per_step, updates };
  const { queries_per_step: groups, group_size, groups: policy } = training;
  const draws = typeof policy === 'string' ? groups : Math.floor(groups * policy.over_sample);
  const rollouts = draws * group_size;
  return { groups, draws, rollouts, turns: rollouts * flow.max_turns, updates };
}

/** `8 groups, 64 rollouts, at most 128 turns, 1 update` */
export function describeStepSize(size: StepSize): string {
  const updates = `${size.updates} ${size.updates === 1 ? 'update' : 'updates'}`;
  if ('samples' in size) return `${size.samples} recorded turns, ${updates}`;
  const { groups, draws, rollouts, turns } = size;
  const most = draws > groups ? `at most ${draws} drawn, at most ` : '';
  return `${groups} groups, ${most}${rollouts} rollouts, at most ${turns} turns, ${updates}`;
}
