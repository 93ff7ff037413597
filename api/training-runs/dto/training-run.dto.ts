import { z } from 'zod';
import type { TrainingRun } from '../../../infra/database/entities/index.js';
import { runConfigSchema } from '../../../contracts/run-config.js';
import { listSchema } from '../../common/list.dto.js';

export const RUN_STATUSES = [
  'queued',
  'running',
  'pausing',
  'paused',
  'cancelling',
  'cancelled',
  'completed',
  'failed',
] as const satisfies TrainingRun['status'][];

const failureSchema = z.object({
  type: z.string(),
  message: z.string(),
  groups: z.array(z.int()).optional().describe('NonFiniteLoss: the groups that a decision may leave out.'),
});

export const trainingRunSchema = z.object({
  id: z.string().describe('Also the id of the Temporal workflow.'),
  object: z.literal('training_run'),
  name: z.string(),
  status: z.enum(RUN_STATUSES),
  queue_position: z
    .int()
    .nullable()
    .describe(
      'While a queued run waits because as many of its project are under way as may be at once: its place among those that wait, from 1. Else null.',
    ),
  step: z.int().describe('The last committed training step.'),
  steps: z.int().describe('Training steps asked for, including extensions.'),
  seed: z.int(),
  model: z.string(),
  policy: z.string().nullable().describe('The policy of the last committed step: <run>@<step>.'),
  policy_sha256: z.string().nullable(),
  config: runConfigSchema.describe('With every default filled in.'),
  config_sha256: z.string(),
  failure: failureSchema.nullable(),
  created_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
});
export type TrainingRunDto = z.infer<typeof trainingRunSchema>;

export const trainingRunListSchema = listSchema('TrainingRun', trainingRunSchema);

/** @param queuePosition null if it need not wait */
export function toTrainingRunDto(run: TrainingRun, queuePosition: number | null = null): TrainingRunDto {
  return {
    id: run.id,
    object: 'training_run',
    name: run.name,
    status: run.status,
    queue_position: queuePosition,
    step: run.step,
    steps: run.steps,
    seed: run.config.seed,
    model: run.config.model,
    policy: run.policyName,
    policy_sha256: run.policySha256,
    config: run.config,
    config_sha256: run.configSha256,
    failure: run.failure,
    created_at: run.createdAt.toISOString(),
    started_at: run.startedAt?.toISOString() ?? null,
    finished_at: run.finishedAt?.toISOString() ?? null,
  };
}
