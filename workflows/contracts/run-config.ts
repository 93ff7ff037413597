import { z } from 'zod';

/** A name the operator registered (a tool, model, dataset, engine): never a path, a URL or a command (I12). */
const registeredName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'must be a registered name: lower-case letters, digits, ".", "_" and "-", no path and no URL',
  );

const decay = z.number().min(0).lt(1);

const planner = z.strictObject({
  /** Only the policy's turns have tokens to train on; evaluations also run the yardsticks (PlannerEngine). */
  engine: z.enum(['policy']).default('policy'),
  prompt: z.enum(['compact']).default('compact'),
  temperature: z.number().positive().max(10).default(1),
  max_tokens: z.int().min(1).max(4096).default(20),
});

const scripted = z.strictObject({ engine: z.enum(['scripted']).default('scripted') });

const flow = z.strictObject({
  max_turns: z.int().min(1).max(50).default(2),
  /** Seconds of successful calls (design 4): time lost to outages does not count. */
  time_budget_s: z.number().positive().max(86_400).default(600),
  tools: z.array(registeredName).min(1).default(['calculator', 'lookup', 'generator']),
  planner: planner.prefault({}),
  query_analysis: scripted.prefault({}),
  executor: scripted.prefault({}),
  verifier: scripted.prefault({}),
  generator: scripted.prefault({}),
});

const dataset = z.strictObject({
  name: registeredName.default('atlas'),
  /** Seed of the made-up world: places, attributes and held-out questions. Not the seed of the run. */
  seed: z.int().min(0).max(0xffff_ffff).default(7),
  /** Relative weight of each question family among the training queries. Evaluation always weighs families equally. */
  families: z
    .partialRecord(z.enum(['arithmetic', 'lookup', 'two-hop', 'comparison', 'sum']), z.number().positive())
    .optional(),
});

const training = z.strictObject({
  queries_per_step: z.int().min(1).max(1024).default(8),
  group_size: z.int().min(2, 'must be at least 2: advantages are normalised inside the group').max(256).default(8),
  learning_rate: z.number().positive().max(1).default(1e-4),
  weight_decay: z.number().min(0).max(1).default(0.01),
  max_grad_norm: z.number().positive().default(1),
  adam_beta1: decay.default(0.9),
  adam_beta2: decay.default(0.999),
  adam_epsilon: z.number().positive().default(1e-8),
  lora: z
    .strictObject({ rank: z.int().min(1).max(512).default(16), alpha: z.number().positive().default(32) })
    .prefault({}),
  aggregation: z.enum(['paper', 'token-mean', 'dr-grpo']).default('paper'),
  advantage: z.enum(['trajectory', 'turn-rows']).default('trajectory'),
  groups: z.enum(['keep', 'drop-zero-variance']).default('keep'),
  clip_low: z.number().positive().max(1).default(0.2),
  clip_high: z.number().positive().max(10).default(0.3),
  dual_clip: z.number().gt(1).default(3),
  kl_coefficient: z.number().min(0).default(0.001),
  entropy_coefficient: z.number().min(0).default(0),
  /** Token budget of one micro-batch of the gradient step, in prefix-tree tokens. */
  micro_batch_tokens: z.int().min(64).default(1536),
});

const evaluation = z.strictObject({
  questions: z.int().min(1).max(100_000).default(200),
  /** Evaluate after every k-th step; 0 means only before the first and after the last. */
  every: z.int().min(0).default(0),
  yardsticks: z.boolean().default(true),
  concurrency: z.int().min(1).max(512).default(64),
});

const checkpoint = z.strictObject({
  /** Save optimiser state every k steps (and always after the last). */
  every: z.int().min(1).default(1),
  /** How many of the newest whole checkpoints to keep. */
  keep: z.int().min(2).default(3),
});

/** What a user submits. Data only (I12): it names what the operator registered. */
export const runConfigSchema = z.strictObject({
  name: z.string().min(1).max(100).default('training run'),
  model: registeredName,
  seed: z.int().min(0).max(0xffff_ffff).default(0),
  steps: z.int().min(1).max(1_000_000),
  dataset: dataset.prefault({}),
  flow: flow.prefault({}),
  training: training.prefault({}),
  evaluation: evaluation.prefault({}),
  checkpoint: checkpoint.prefault({}),
});

export type RunConfig = z.infer<typeof runConfigSchema>;
/** What can plan: the policy, and the two yardsticks of an evaluation. */
export type PlannerEngine = 'policy' | 'random' | 'oracle';
export type PlannerConfig = Omit<RunConfig['flow']['planner'], 'engine'> & { engine: PlannerEngine };
/** The part of the configuration that a flow runs by. */
export type FlowConfig = Omit<RunConfig['flow'], 'planner'> & { planner: PlannerConfig };
