import type { TrainingRun } from '../../infra/database/entities/index.js';
import type { ForkBody } from './dto/fork.dto.js';

/** The configuration of a fork, not yet checked: the run's own, changed, and starting from a policy of it. */
export function forkedConfig({ id, step: last, config }: TrainingRun, fork: ForkBody): Record<string, unknown> {
  const { step = last, optimizer, allow, overrides } = fork;
  const { dataset, evaluation, ...rest } = config;
  // Which upload a name is, is filled in anew: another dataset may be named.
  const named = {
    ...rest,
    dataset: unpinned(dataset),
    evaluation: { ...evaluation, ...(evaluation.dataset && { dataset: unpinned(evaluation.dataset) }) },
  };
  return { ...merged(named, overrides), from: { policy: `${id}@${step}`, optimizer, allow } };
}

function unpinned({ upload: _, ...dataset }: TrainingRun['config']['dataset']): Record<string, unknown> {
  return dataset;
}

/** RFC 7396. */
function merged(target: unknown, patch: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = isRecord(value) ? merged(result[key], value) : value;
  }
  return result;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
