import { randomUUID } from 'node:crypto';
import { runConfigSchema } from '../../contracts/run-config.js';
import type { TrainingRunInput } from '../../contracts/training-run.js';
import { TEST_SETTINGS } from './workflow-harness.js';

/** Input of a training run with as little in it as a run can have. */
export function tinyRun(steps: number, queries = 1, changes: Record<string, unknown> = {}): TrainingRunInput {
  const config = runConfigSchema.parse({
    model: 'tiny-random',
    steps,
    training: { queries_per_step: queries, group_size: 2 },
    evaluation: { questions: 2, yardsticks: false },
    checkpoint: { every: 5 },
    ...changes,
  });
  return { runId: `run-${randomUUID()}`, config, settings: TEST_SETTINGS };
}
