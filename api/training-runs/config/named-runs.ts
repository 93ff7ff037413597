import type { RunConfig } from '../../../workflows/contracts/run-config.js';

/** A run that a configuration names, by itself or with one of its policies, and the key that names it. */
export interface NamedRun {
  param: string;
  run: string;
  policy?: string;
}

export function namedRuns({ from, training }: RunConfig): NamedRun[] {
  const named: NamedRun[] = [];
  if (from) named.push(runOf('from.policy', from.policy));
  if (training.objective === 'sft') named.push({ param: 'training.trajectories.run', run: training.trajectories.run });
  else if (training.kl.reference !== 'base') named.push(runOf('training.kl.reference', training.kl.reference));
  return named;
}

function runOf(param: string, policy: string): NamedRun {
  return { param, run: policy.slice(0, policy.lastIndexOf('@')), policy };
}
