import { z } from 'zod';
import { kl, optimisation, rollouts, type Flaw } from './parts.js';

const clip = z
  .strictObject({
    kind: z.literal('clip'),
    low: z
      .number()
      .positive()
      .max(1)
      .default(0.2)
      .describe('Lower clip of the ratio. With one update per batch the ratio is 1 and no clip acts.'),
    high: z.number().positive().max(10).default(0.3).describe('Upper clip of the ratio.'),
    dual: z
      .number()
      .gt(1)
      .nullable()
      .default(3)
      .describe('Bound of the term of a token with a negative advantage, in advantages. `null`: none.'),
  })
  .describe('The clipped ratio of PPO, per token.');
const gspo = z
  .strictObject({
    kind: z.literal('gspo'),
    low: z.number().positive().max(1).default(3e-4).describe('Lower clip of that ratio.'),
    high: z.number().positive().max(10).default(4e-4).describe('Upper clip of that ratio.'),
  })
  .describe("One ratio per response, the geometric mean of its tokens' ratios (GSPO).");
const cispo = z
  .strictObject({
    kind: z.literal('cispo'),
    high: z.number().positive().max(100).default(5).describe('Cap of the ratio.'),
  })
  .describe('Log-probs weighted by a capped ratio that carries no gradient (CISPO).');

const cap = z.number().min(1).max(100).default(2).describe('Upper bound of the weight.');

const importanceSampling = z.discriminatedUnion('level', [
  z
    .strictObject({ level: z.literal('none') })
    .describe('It has no weight, which is right if both compute alike. The metrics report the mismatch.'),
  z
    .strictObject({ level: z.literal('token'), cap })
    .describe('Truncated importance sampling per token, for another sampler such as vLLM.'),
  z.strictObject({ level: z.literal('sequence'), cap }).describe('The same per response.'),
]);

const schema = z
  .strictObject({
    objective: z.literal('flow-grpo').default('flow-grpo').optional(),
    queries_per_step: rollouts.queries_per_step,
    group_size: rollouts.group_size,
    advantage: z
      .enum(['trajectory', 'turn-rows', 'no-std', 'leave-one-out'])
      .default('trajectory')
      .describe(
        "`trajectory`: mean and deviation over the group's rollouts (the paper). `turn-rows`: over their turns (the original code). `no-std`: centred only. `leave-one-out`: against the mean of the others.",
      ),
    aggregation: z
      .enum(['paper', 'token-mean', 'dr-grpo'])
      .default('paper')
      .describe(
        "`paper`: groups, rollouts, turns and tokens weigh equally at each level. `token-mean`: every token of the step weighs the same. `dr-grpo`: a constant divisor (`flow.planner.max_tokens`) instead of each response's length.",
      ),
    groups: rollouts.groups,
    policy_loss: z
      .discriminatedUnion('kind', [clip, gspo, cispo])
      .prefault({ kind: 'clip' })
      .describe('How the ratio to the sampling policy enters the objective.'),
    kl: kl.prefault({}),
    entropy_coefficient: z.number().min(0).default(0).describe('Weight of the entropy bonus.'),
    importance_sampling: importanceSampling
      .prefault({ level: 'none' })
      .describe("How the difference between the sampler's log-probs and the trainer's is weighted."),
    truncated_responses: z
      .enum(['keep', 'mask'])
      .default('keep')
      .describe(
        '`mask`: a response that was cut off at the token limit teaches nothing; its reward still counts in its group.',
      ),
    ...optimisation,
  })
  .describe('Flow-GRPO on rollouts of the run.');

/** Combinations that no single key shows to be wrong. */
function contradictions(training: z.infer<typeof schema>): Flaw[] {
  const { queries_per_step: queries, mini_batches: parts, kl, weights, importance_sampling: importance } = training;
  const found: Flaw[] = [];
  if (parts > queries) {
    const message = `is more than queries_per_step (${queries}): a part would be empty`;
    found.push({ path: ['mini_batches'], message });
  }
  if (kl.coefficient === 0 && (kl.unbiased || kl.reference !== 'base')) {
    found.push({ path: ['kl', 'coefficient'], message: 'is 0, so a reference or an unbiased gradient has no effect' });
  }
  if (kl.coefficient > 0 && kl.estimator === 'k1' && !kl.unbiased) {
    const message = 'must not be k1 without kl.unbiased: true: its gradient is zero on average';
    found.push({ path: ['kl', 'estimator'], message });
  }
  if (weights.kind === 'lora' && weights.base === 'nf4' && importance.level === 'none') {
    const message = 'must not be none: with weights.base nf4, samples come from other weights than train';
    found.push({ path: ['importance_sampling'], message });
  }
  return found;
}

export const flowGrpo = { schema, contradictions };
