import { z } from 'zod';
import type { TrainingStep } from '../../../infra/database/entities/index.js';
import { ANSWER_FORMS, WARNING_KINDS } from '../../../contracts/step-answers.js';
import { listSchema } from '../../common/list.dto.js';

const answerShareSchema = z.object({
  answers: z.int(),
  of: z.int(),
  share: z.number(),
  examples: z.array(
    z.object({
      rollout: z.string().describe('Id of the rollout.'),
      answer: z.string().describe('At most 200 characters of it, redacted.'),
    }),
  ),
});

const stepAnswersSchema = z
  .object({
    undecided: answerShareSchema.describe(
      'Answers that no rule could decide and no judge was asked about, out of all answers.',
    ),
    lenient: answerShareSchema.describe('Answers that no stricter rule would accept, out of those rewarded.'),
    repeated: answerShareSchema.describe(
      'Answers that were rewarded for another question of the step too, out of those rewarded.',
    ),
    denied: answerShareSchema.describe('Answers that the judge finds wrong, out of those rewarded that it checked.'),
    forms: z
      .record(z.string(), answerShareSchema)
      .describe(`Answers of each form, out of all answers: ${ANSWER_FORMS.join(', ')}.`),
    length: z.number().describe('Characters of the median answer.'),
    warnings: z
      .array(z.object({ kind: z.enum(WARNING_KINDS), message: z.string(), examples: answerShareSchema.shape.examples }))
      .describe(
        'What somebody should look at. If the step before did not warn of it, it is also an event, `step.warned`.',
      ),
  })
  .describe('What the answers of the rollouts were like; null if there are none, and for steps of earlier versions.');

const trainingStepSchema = z.object({
  object: z.literal('training_run.step'),
  run_id: z.string(),
  step: z.int(),
  policy_sha256: z.string(),
  metrics: z.record(z.string(), z.unknown()),
  answers: stepAnswersSchema.nullable(),
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
    answers: row.answers,
    created_at: row.createdAt.toISOString(),
  };
}
