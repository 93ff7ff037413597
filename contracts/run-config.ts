import { z } from 'zod';
import { datasetRef, registeredName, trainingFlowSchema } from './flow-config.js';
import { FORK_PART_NAMES } from './identity.js';
import { MAX_STEPS } from './run-limits.js';
import { policyName } from './names.js';
import { contradictions, trainingSchema } from './training-config.js';

const datasetFields = z.strictObject({
  ...datasetRef,
  name: datasetRef.name.default('atlas').describe('The dataset that the questions come from.'),
  seed: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .default(7)
    .describe(
      'Makes the world of the atlas: places, attributes, held-out questions. In a list of questions it decides the order of the held-out ones, so that the first of them are a sample. It is not the seed of the run.',
    ),
  families: z
    .partialRecord(z.enum(['arithmetic', 'lookup', 'two-hop', 'comparison', 'sum']), z.number().positive())
    .optional()
    .meta({
      description:
        'Relative weight of each family of questions of the atlas in training. Without it: the first three, equally. Evaluation takes the named families in turn, whatever their weights are.',
      examples: [{ lookup: 1, 'two-hop': 3 }],
    }),
});

const dataset = datasetFields.refine(({ name, families }) => name === 'atlas' || families === undefined, {
  path: ['families'],
  message: 'are those of the atlas',
});

const evaluation = z.strictObject({
  dataset: dataset
    .optional()
    .describe('The dataset that held-out questions come from, if it is not the one that is trained on.'),
  questions: z
    .int()
    .min(1)
    .max(100_000)
    .default(200)
    .describe(
      'Held-out questions, the same ones every time, answered with the likeliest tokens. If the dataset has fewer, all of them.',
    ),
  every: z
    .int()
    .min(0)
    .default(0)
    .describe('Evaluates after every k-th step. 0: only before the first step and after the last.'),
  yardsticks: z
    .boolean()
    .default(true)
    .describe(
      'Also measures, once before training, a planner that picks tools at random and a scripted oracle that plans correctly.',
    ),
  concurrency: z.int().min(1).max(512).default(64).describe('Questions that are open at once.'),
});

const checkpoint = z.strictObject({
  every: z
    .int()
    .min(1)
    .default(1)
    .describe(
      "Saves the optimiser's state every k steps, and after the last. Between checkpoints a trainer that starts anew replays the frozen batches.",
    ),
  keep: z
    .strictObject({
      last: z.int().min(2).default(3).describe('How many of the newest stay.'),
      best: z.int().min(0).default(0).describe('How many of the best by held-out accuracy stay.'),
      every: z.int().min(0).default(0).describe('The checkpoint of every m-th step stays. 0: none.'),
    })
    .prefault({})
    .describe(
      'Which checkpoints stay: those that any of these keys keeps. Checkpoint 0 and every policy that is still needed stay too.',
    ),
});

const start = z.strictObject({
  policy: policyName.describe(
    'The policy that becomes policy 0 of this run. It is copied: the fork depends on nothing of its parent afterwards.',
  ),
  optimizer: z
    .boolean()
    .default(false)
    .describe("Also copies the parent's optimiser state. The parent must still have the checkpoint of that step."),
  allow: z
    .array(z.enum(FORK_PART_NAMES))
    .default([])
    .describe(
      'The parts in which the fork may differ from its parent. If it differs in another of these, it is refused. `base-model`: registered name, weights and `config.json`. `prompts`: those of all modules, and the tools that the planner is offered. `dataset`: name, seed, families and texts.',
    ),
});

/** What a user submits. Data only (I12): it names what the operator registered. */
export const runConfigSchema = z
  .strictObject({
    name: z.string().min(1).max(100).default('training run').describe('Shown in lists and in the Temporal UI.'),
    model: registeredName.describe('The base model. `training.weights` says which part of it trains.'),
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .default(0)
      .describe(
        'Decides policy 0, the questions that are drawn and every sampled token. The same configuration and seed give the same bytes on the same type of machine.',
      ),
    steps: z.int().min(1).max(MAX_STEPS).describe('Training steps. A run that is not finished can be given more.'),
    from: start.optional().describe('Makes this run a fork. Without it, policy 0 computes what the base model does.'),
    dataset: dataset.prefault({}).describe('What the run is trained on.'),
    flow: trainingFlowSchema.prefault({}).describe('How a question is answered.'),
    training: trainingSchema.prefault({}).describe('How the policy is updated.'),
    evaluation: evaluation.prefault({}).describe('How the policies are measured on held-out questions.'),
    checkpoint: checkpoint.prefault({}).describe('What is kept of the optimiser.'),
  })
  .check(({ value, issues }) => {
    for (const { path, message } of contradictions(value.training)) {
      issues.push({ code: 'custom', path: ['training', ...path], message, input: value });
    }
  })
  .meta({
    examples: [{ name: 'first run', model: 'smollm2-135m-instruct', steps: 8, dataset: { name: 'atlas' } }],
  });

export type RunConfig = z.infer<typeof runConfigSchema>;
/** What plans in an evaluation: the configuration's planner (`policy`), or a yardstick in its place. */
export type PlannerEngine = 'policy' | 'random' | 'oracle';
