import { z } from 'zod';
import { registeredName, trainingFlowSchema } from './flow-config.js';
import { FORK_PART_NAMES } from './identity.js';
import { MAX_STEPS } from './run-limits.js';
import { contradictions, policyName, trainingSchema } from './training-config.js';

const datasetFields = z.strictObject({
  name: registeredName.default('atlas'),
  /**
   * Not the seed of the run. For the atlas: of the made-up world. For a list of questions: of the order in which held-out
   * questions are asked, so that the first of them are a sample.
   */
  seed: z.int().min(0).max(0xffff_ffff).default(7),
  /** Relative weight of each question family among the training queries. Evaluation always weighs families equally. */
  families: z
    .partialRecord(z.enum(['arithmetic', 'lookup', 'two-hop', 'comparison', 'sum']), z.number().positive())
    .optional(),
});

const dataset = datasetFields.refine(({ name, families }) => name === 'atlas' || families === undefined, {
  path: ['families'],
  message: 'are those of the atlas',
});

const evaluation = z.strictObject({
  /** What held-out questions are asked from, where it is not the dataset that is trained on. */
  dataset: dataset.optional(),
  questions: z.int().min(1).max(100_000).default(200),
  /** Evaluate after every k-th step; 0 means only before the first and after the last. */
  every: z.int().min(0).default(0),
  yardsticks: z.boolean().default(true),
  concurrency: z.int().min(1).max(512).default(64),
});

const checkpoint = z.strictObject({
  /** Save optimiser state every k steps (and always after the last). */
  every: z.int().min(1).default(1),
  /** Which whole checkpoints stay: those that any of the three keeps. Checkpoint 0 always stays. */
  keep: z
    .strictObject({
      /** The newest n. */
      last: z.int().min(2).default(3),
      /** The n best by held-out accuracy. */
      best: z.int().min(0).default(0),
      /** Every m-th step's; 0 for none. */
      every: z.int().min(0).default(0),
    })
    .prefault({}),
});

const start = z.strictObject({
  /** A fork copies this policy as its own policy 0 and depends on nothing of its parent afterwards. */
  policy: policyName,
  /** Carries the parent's optimiser state over, instead of a fresh one. */
  optimizer: z.boolean().default(false),
  /** In what the fork may differ from its parent: a fork that differs in more of these is refused. */
  allow: z.array(z.enum(FORK_PART_NAMES)).default([]),
});

/** What a user submits. Data only (I12): it names what the operator registered. */
export const runConfigSchema = z
  .strictObject({
    name: z.string().min(1).max(100).default('training run'),
    model: registeredName,
    seed: z.int().min(0).max(0xffff_ffff).default(0),
    steps: z.int().min(1).max(MAX_STEPS),
    /** Where policy 0 comes from; without it, a new adapter that changes nothing. */
    from: start.optional(),
    dataset: dataset.prefault({}),
    flow: trainingFlowSchema.prefault({}),
    training: trainingSchema.prefault({}),
    evaluation: evaluation.prefault({}),
    checkpoint: checkpoint.prefault({}),
  })
  .check(({ value, issues }) => {
    for (const { path, message } of contradictions(value.training)) {
      issues.push({ code: 'custom', path: ['training', ...path], message, input: value });
    }
  });

export type RunConfig = z.infer<typeof runConfigSchema>;
/** What plans in an evaluation: the configuration's planner (`policy`), or a yardstick in its place. */
export type PlannerEngine = 'policy' | 'random' | 'oracle';
