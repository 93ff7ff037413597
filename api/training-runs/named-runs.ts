import type { RunConfig } from '../../contracts/run-config.js';
import { isRecorded, referenceOf } from '../../contracts/training-parts.js';
import { namedPolicy, type NamedRun } from '../submissions/known-policies.js';

/** The runs that a configuration names. */
export function namedRuns({ from, training }: RunConfig): NamedRun[] {
  const named: NamedRun[] = [];
  if (from) named.push(namedPolicy('from.policy', from.policy));
  if (isRecorded(training)) named.push({ param: 'training.trajectories.run', run: training.trajectories.run });
  const reference = referenceOf(training) ?? 'base';
  if (reference !== 'base') named.push(namedPolicy('training.kl.reference', reference));
  return named;
}
