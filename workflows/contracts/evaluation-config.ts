import { z } from 'zod';
import { flowSchema, registeredName } from './flow-config.js';
import { policyName } from './training-config.js';

/** More cells than a table of them can be read, and a history can hold. */
const MAX_CELLS = 400;

const benchmark = z.strictObject({
  name: registeredName,
  /** Of a made-up world; a benchmark that is read from files has none. */
  seed: z.int().min(0).max(0xffff_ffff).default(7),
  /** The first so many questions; all of them where absent. A made-up world has as many as one asks for. */
  questions: z.int().min(1).max(100_000).optional(),
});

/** What is submitted to evaluate policies on benchmarks. Data only (I12). */
export const evaluationConfigSchema = z
  .strictObject({
    name: z.string().min(1).max(100).default('evaluation'),
    /** The model whose policies are evaluated; its untrained base weights serve what is bound to `policy`. */
    model: registeredName,
    seed: z.int().min(0).max(0xffff_ffff).default(0),
    benchmarks: z.array(benchmark).min(1).max(32),
    /** `base`: the model as it was before any training. */
    policies: z
      .array(z.union([z.literal('base'), policyName]))
      .min(1)
      .max(32)
      .refine((names) => new Set(names).size === names.length, 'names a policy twice')
      .default(['base']),
    /** A sweep over turn budgets, each in the place of `flow.max_turns`. */
    max_turns: z.array(z.int().min(1).max(50)).min(1).max(16).optional(),
    /** How often each question is asked. */
    trials: z.int().min(1).max(64).default(1),
    /** The policy's planner takes its likeliest words; else it samples, and trials differ. */
    greedy: z.boolean().default(true),
    concurrency: z.int().min(1).max(512).default(64),
    flow: flowSchema.prefault({}),
  })
  .check(({ value, issues }) => {
    for (const { path, message } of contradictions(value)) issues.push({ code: 'custom', path, message, input: value });
  });

export type EvaluationConfig = z.infer<typeof evaluationConfigSchema>;

interface Sizes {
  benchmarks: { name: string; questions?: number }[];
  policies: string[];
  max_turns?: number[];
  trials: number;
  greedy: boolean;
  flow: { planner: { engine?: string } };
}

function contradictions(config: Sizes): { path: string[]; message: string }[] {
  const found: { path: string[]; message: string }[] = [];
  const isPolicy = (config.flow.planner.engine ?? 'policy') === 'policy';
  if (config.trials > 1 && config.greedy && isPolicy) {
    found.push({ path: ['trials'], message: 'would all be the same: a policy is asked greedily; set greedy: false' });
  }
  if (!isPolicy && config.policies.some((name) => name !== 'base')) {
    found.push({ path: ['policies'], message: 'has no effect: flow.planner is not bound to a policy' });
  }
  const cells = config.benchmarks.length * config.policies.length * (config.max_turns?.length ?? 1);
  if (cells > MAX_CELLS) found.push({ path: ['benchmarks'], message: `make ${cells} cells, more than ${MAX_CELLS}` });
  return found;
}
