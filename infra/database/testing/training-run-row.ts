import { randomBytes } from 'node:crypto';
import { runConfigSchema } from '../../../contracts/run-config.js';
import type { TrainingRun } from '../entities/training-run.entity.js';

/** A queued training run to insert in tests. */
export function trainingRunRow(overrides: Partial<TrainingRun> = {}): Partial<TrainingRun> & Pick<TrainingRun, 'id'> {
  return {
    id: `run-${randomBytes(5).toString('hex')}`,
    project: 'default',
    name: 'test',
    status: 'queued',
    config: runConfigSchema.parse({ model: 'tiny-random', steps: 2 }),
    configSha256: '0'.repeat(64),
    steps: 2,
    ...overrides,
  };
}
