import type { RunConfig } from '../../../workflows/contracts/run-config.js';

/** A run that a configuration names, by itself or with one of its policies, and the key that names it. */
export interface NamedRun {
  param: string;
  run: string;
}

export function namedRuns({ from, training }: RunConfig): NamedRun[] {
  const named: NamedRun[] = [];
  if (from) named.push({ param: 'from.policy', run: runOf(from.policy) });
  if (training.objective === 'sft') named.push({ param: 'training.trajectories.run', run: training.trajectories.run });
  else if (training.kl.reference !== 'base') {
    named.push({ param: 'training.kl.reference', run: runOf(training.kl.reference) });
  }
  return named;
}

function runOf(policy: string): string {
  return policy.slice(0, policy.lastIndexOf('@'));
}
