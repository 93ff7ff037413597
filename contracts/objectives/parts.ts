import { z } from 'zod';
import { policyName, runId } from '../names.js';

/*
 * What `training` is composed of, whatever the objective. All other code asks which parts a run's training has
 * (contracts/training-parts.ts), never for the name of its objective.
 */

/** What is wrong with a training, as (path inside `training`, message). */
export interface Flaw {
  path: string[];
  message: string;
}

const decay = z.number().min(0).lt(1);

const loraTargets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;

const lora = z
  .strictObject({
    kind: z.literal('lora'),
    rank: z.int().min(1).max(512).default(16).describe('Rank of the adapter.'),
    alpha: z.number().positive().default(32).describe('The adapter is scaled by alpha / rank.'),
    targets: z
      .array(z.enum(loraTargets))
      .min(1)
      .refine((names) => new Set(names).size === names.length, 'names a layer twice')
      .default([...loraTargets])
      .describe('Linear layers of the decoder that the adapter is on.'),
    base: z
      .enum(['full-precision', 'nf4'])
      .default('full-precision')
      .describe(
        'How the frozen linear layers are held. `nf4`: in 4 bits, which makes another base model and needs `importance_sampling.level` `token` or `sequence` (docs/models.md#a-base-in-4-bits).',
      ),
  })
  .describe('A LoRA adapter trains, beside the frozen weights of the base model.');

const full = z
  .strictObject({ kind: z.literal('full') })
  .describe(
    'Every parameter of the model trains, embedding and head included. Set a learning rate such as 1e-6 with it (docs/models.md#full-fine-tuning).',
  );

/** How an update is made, whatever the objective. */
export const optimisation = {
  learning_rate: z
    .number()
    .positive()
    .max(1)
    .default(1e-4)
    .describe('Learning rate of AdamW. It can be changed while the run goes on.'),
  weight_decay: z.number().min(0).max(1).default(0.01).describe('Weight decay of AdamW, decoupled.'),
  max_grad_norm: z.number().positive().default(1).describe('The gradient is clipped to this L2 norm.'),
  adam_beta1: decay.default(0.9).describe("Decay of AdamW's first moment."),
  adam_beta2: decay.default(0.999).describe("Decay of AdamW's second moment."),
  adam_epsilon: z.number().positive().default(1e-8).describe('Epsilon of AdamW.'),
  weights: z.discriminatedUnion('kind', [lora, full]).prefault({ kind: 'lora' }).describe('What trains.'),
  epochs: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe('Passes over a batch. After its first update the ratio to the sampling policy is no longer 1.'),
  mini_batches: z
    .int()
    .min(1)
    .max(1024)
    .default(1)
    .describe("Updates of one pass: the groups are split into this many parts, in an order drawn from the run's seed."),
  micro_batch_tokens: z
    .int()
    .min(64)
    .default(1536)
    .describe(
      'Prefix-tree tokens of one micro-batch. It bounds memory; it changes rounding and nothing else. If memory runs out it is halved for the step, and the metrics say so.',
    ),
  gradient_checkpointing: z
    .boolean()
    .default(false)
    .describe('Computes activations twice instead of keeping them: less memory, more time, the same bits.'),
  dtype: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe(
      'Type of the operands of matrix products. Sums, softmax, the objective and the optimiser are fp32 with either.',
    ),
};

/** Samples of a step are rollouts of the policy that trains. */
export const rollouts = {
  queries_per_step: z.int().min(1).max(1024).default(8).describe('Groups of a step: one question each.'),
  group_size: z
    .int()
    .min(2, 'must be at least 2: advantages are normalised inside the group')
    .max(256)
    .default(8)
    .describe('Rollouts of a question. Advantages are normalised inside the group.'),
  groups: z
    .union([z.enum(['keep', 'drop-zero-variance']), z.strictObject({ over_sample: z.number().gt(1).max(64) })])
    .default('keep')
    .meta({
      description:
        'What happens to a group whose rewards are all equal. `keep`: only its KL term counts. `drop-zero-variance`: it leaves the step; a step without any group changes nothing. `over_sample: k`: further questions are drawn in its place, in order, until `queries_per_step` groups have variance, at most k times as many questions in all.',
      examples: [{ over_sample: 2 }],
    }),
};

/** Samples of a step are recorded turns of a run. */
export const recordings = {
  samples_per_step: z
    .int()
    .min(1)
    .max(65_536)
    .default(64)
    .describe("Recorded turns of a step. The run's seed shuffles all turns once per pass."),
  trajectories: z
    .strictObject({
      run: runId.describe(
        'The run whose recorded rollouts are learned from, for example that of a teacher. It must be of the same model.',
      ),
      from_step: z.int().min(1).default(1).describe('First step of that run whose rollouts count.'),
      to_step: z.int().min(1).max(1_000_000).default(1_000_000).describe('Last step of that run whose rollouts count.'),
      minimum_reward: z.number().default(1).describe('Only rollouts with at least this reward count.'),
    })
    .describe('What is learned from.'),
};

/** A reference policy, by the name `kl`. */
export const kl = z
  .strictObject({
    coefficient: z
      .number()
      .min(0)
      .default(0.001)
      .describe('Weight of the term. 0: no term, and no pass of the reference.'),
    estimator: z
      .enum(['k1', 'k2', 'k3'])
      .default('k3')
      .describe(
        'How the divergence is estimated from the sampled token. `k1` needs `unbiased`: alone, its gradient is zero on average.',
      ),
    reference: z
      .union([z.literal('base'), policyName])
      .default('base')
      .describe(
        '`base`: the base model. A policy: one of any run on the same model with the same `weights`; its sha256 is looked up once, when the run begins.',
      ),
    unbiased: z
      .boolean()
      .default(false)
      .describe('Weighs the estimate by the ratio, so that its gradient is that of the divergence.'),
  })
  .describe('The term that keeps the policy near a reference: the KL divergence of the policy from it.');
