import { z } from 'zod';
import type { TrainingStep } from '../../../infra/database/entities/index.js';
import { listSchema } from '../../common/list.dto.js';

export const trainingStepSchema = z.object({
  object: z.literal('training_run.step'),
  run_id: z.string(),
  step: z.int(),
  policy_sha256: z.string(),
  metrics: z.record(z.string(), z.unknown()),
  created_at: z.iso.datetime(),
});
export type TrainingStepDto = z.infer<typeof trainingStepSchema>;

export const trainingStepListSchema = listSchema('TrainingStep', trainingStepSchema);

export function toTrainingStepDto(row: TrainingStep): TrainingStepDto {
  return {
    object: 'training_run.step',
    run_id: row.runId,
    step: row.step,
    policy_sha256: row.policySha256,
    metrics: row.metrics,
    created_at: row.createdAt.toISOString(),
  };
}
