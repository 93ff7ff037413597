import { z } from 'zod';

/**
 * `training` of a run's configuration. What belongs to one choice is written inside that choice, so that an option that
 * would do nothing is an unknown key, and an error before anything runs. The Python trainer holds the same schema
 * (worker/gpu/flow_grpo/trainer/hyper_parameters.py) and reads it from the batch.
 */

const decay = z.number().min(0).lt(1);

/** A policy of a run, `<run>@<step>`: resolved to its sha256 once, when the run begins (I11). */
export const policyName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}@(0|[1-9]\d{0,8})$/, 'must be the name of a policy: <training run>@<step>');

const runId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be the id of a training run: letters, digits, ".", "_" and "-"');

const loraTargets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;

/** An adapter trains, beside frozen weights of the base model. */
const lora = z.strictObject({
  kind: z.literal('lora'),
  rank: z.int().min(1).max(512).default(16),
  alpha: z.number().positive().default(32),
  targets: z
    .array(z.enum(loraTargets))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'names a layer twice')
    .default([...loraTargets]),
  /** How the frozen linear layers are held. `nf4`: in 4 bits, which makes another base model of them. */
  base: z.enum(['full-precision', 'nf4']).default('full-precision'),
});

/** Every parameter of the model trains, embedding and head included. */
const full = z.strictObject({ kind: z.literal('full') });

/** How an update is made, whatever the objective. */
const optimisation = {
  learning_rate: z.number().positive().max(1).default(1e-4),
  weight_decay: z.number().min(0).max(1).default(0.01),
  max_grad_norm: z.number().positive().default(1),
  adam_beta1: decay.default(0.9),
  adam_beta2: decay.default(0.999),
  adam_epsilon: z.number().positive().default(1e-8),
  /** What trains. */
  weights: z.discriminatedUnion('kind', [lora, full]).prefault({ kind: 'lora' }),
  /** Passes over a batch. With more than one update per batch the ratio to the sampling policy leaves 1. */
  epochs: z.int().min(1).max(64).default(1),
  /** Updates of one pass: the batch's groups are dealt into so many parts, in an order drawn from the run's seed. */
  mini_batches: z.int().min(1).max(1024).default(1),
  /** Token budget of one micro-batch of the gradient step, in prefix-tree tokens. */
  micro_batch_tokens: z.int().min(64).default(1536),
  gradient_checkpointing: z.boolean().default(false),
  /** Of the matrix products; sums, softmax, the objective and the optimiser are fp32 either way. */
  dtype: z.enum(['float32', 'bfloat16']).default('float32'),
};

const clip = z.strictObject({
  kind: z.literal('clip'),
  low: z.number().positive().max(1).default(0.2),
  high: z.number().positive().max(10).default(0.3),
  /** Bound of the term of a token with a negative advantage, in advantages; null for none. */
  dual: z.number().gt(1).nullable().default(3),
});
const gspo = z.strictObject({
  kind: z.literal('gspo'),
  low: z.number().positive().max(1).default(3e-4),
  high: z.number().positive().max(10).default(4e-4),
});
const cispo = z.strictObject({ kind: z.literal('cispo'), high: z.number().positive().max(100).default(5) });

const kl = z.strictObject({
  /** 0: no KL term, and no pass of the reference model. */
  coefficient: z.number().min(0).default(0.001),
  estimator: z.enum(['k1', 'k2', 'k3']).default('k3'),
  /** `base`: the base model. A policy must have the same kind of weights. */
  reference: z.union([z.literal('base'), policyName]).default('base'),
  /** Weighs the estimator by the ratio, so that its gradient is that of the divergence. */
  unbiased: z.boolean().default(false),
});

const cap = z.number().min(1).max(100).default(2);

const importanceSampling = z.discriminatedUnion('level', [
  z.strictObject({ level: z.literal('none') }),
  z.strictObject({ level: z.literal('token'), cap }),
  z.strictObject({ level: z.literal('sequence'), cap }),
]);

const flowGrpo = z.strictObject({
  objective: z.literal('flow-grpo').default('flow-grpo').optional(),
  queries_per_step: z.int().min(1).max(1024).default(8),
  group_size: z.int().min(2, 'must be at least 2: advantages are normalised inside the group').max(256).default(8),
  advantage: z.enum(['trajectory', 'turn-rows', 'no-std', 'leave-one-out']).default('trajectory'),
  aggregation: z.enum(['paper', 'token-mean', 'dr-grpo']).default('paper'),
  /** `over_sample`: draws further queries until `queries_per_step` groups have variance, at most this many times over. */
  groups: z
    .union([z.enum(['keep', 'drop-zero-variance']), z.strictObject({ over_sample: z.number().gt(1).max(64) })])
    .default('keep'),
  policy_loss: z.discriminatedUnion('kind', [clip, gspo, cispo]).prefault({ kind: 'clip' }),
  kl: kl.prefault({}),
  entropy_coefficient: z.number().min(0).default(0),
  importance_sampling: importanceSampling.prefault({ level: 'none' }),
  /** `mask`: a response cut off at the token limit teaches nothing; its reward still counts in its group. */
  truncated_responses: z.enum(['keep', 'mask']).default('keep'),
  ...optimisation,
});

const sft = z.strictObject({
  objective: z.literal('sft'),
  samples_per_step: z.int().min(1).max(65_536).default(64),
  trajectories: z.strictObject({
    /** The run whose recorded rollouts are learned from: its own policy's, or a teacher's. */
    run: runId,
    from_step: z.int().min(1).default(1),
    to_step: z.int().min(1).max(1_000_000).default(1_000_000),
    minimum_reward: z.number().default(1),
  }),
  ...optimisation,
});

export const trainingSchema = z.discriminatedUnion('objective', [flowGrpo, sft]);

export type Training = z.infer<typeof trainingSchema>;
export type FlowGrpoTraining = z.infer<typeof flowGrpo>;
export type SftTraining = z.infer<typeof sft>;

/** Combinations that no single key shows to be wrong, as (path inside `training`, message). */
export function contradictions(training: Training): { path: string[]; message: string }[] {
  const found: { path: string[]; message: string }[] = [];
  const say = (key: string, message: string) => found.push({ path: [key], message });
  if (training.objective === 'sft') {
    const { from_step: first, to_step: last } = training.trajectories;
    if (first > last) found.push({ path: ['trajectories', 'from_step'], message: `is after to_step ${last}` });
    if (training.mini_batches > training.samples_per_step) {
      say('mini_batches', `is more than samples_per_step (${training.samples_per_step}): a part would be empty`);
    }
    return found;
  }
  if (training.mini_batches > training.queries_per_step) {
    say('mini_batches', `is more than queries_per_step (${training.queries_per_step}): a part would be empty`);
  }
  if (training.kl.coefficient === 0 && (training.kl.unbiased || training.kl.reference !== 'base')) {
    found.push({ path: ['kl', 'coefficient'], message: 'is 0, so a reference or an unbiased gradient has no effect' });
  }
  const { weights, importance_sampling: importance } = training;
  if (weights.kind === 'lora' && weights.base === 'nf4' && importance.level === 'none') {
    say('importance_sampling', 'must not be none: with weights.base nf4, samples come from other weights than train');
  }
  return found;
}
