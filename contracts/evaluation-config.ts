import { z } from 'zod';
import { datasetRef, flowSchema, registeredName } from './flow-config.js';
import { policyName } from './names.js';

/** Nobody reads a table of more cells, and one history does not hold them. */
const MAX_CELLS = 400;

const benchmark = z.strictObject({
  ...datasetRef,
  name: datasetRef.name.describe('The dataset whose held-out questions are asked.'),
  seed: z
    .int()
    .min(0)
    .max(0xffff_ffff)
    .default(7)
    .describe('Seed of a made-up world. A benchmark that is read from files has none.'),
  questions: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('How many questions, from the first on. Without it, all of them. The atlas needs it: it has no end.'),
});

/** What is submitted to evaluate policies on benchmarks. Data only (I12). */
export const evaluationConfigSchema = z
  .strictObject({
    name: z.string().min(1).max(100).default('evaluation').describe('Shown in lists and in the Temporal UI.'),
    model: registeredName.describe(
      'The model whose policies are evaluated. Its untrained base weights serve the modules that are bound to `policy`.',
    ),
    seed: z.int().min(0).max(0xffff_ffff).default(0).describe('Decides every token that is sampled.'),
    benchmarks: z
      .array(benchmark)
      .min(1)
      .max(32)
      .meta({ description: 'What is asked.', examples: [[{ name: 'bamboogle' }, { name: 'atlas', questions: 200 }]] }),
    policies: z
      .array(z.union([z.literal('base'), policyName]))
      .min(1)
      .max(32)
      .refine((names) => new Set(names).size === names.length, 'names a policy twice')
      .default(['base'])
      .describe('What plans. `base`: the model as it was before any training.'),
    max_turns: z
      .array(z.int().min(1).max(50))
      .min(1)
      .max(16)
      .optional()
      .meta({ description: 'Compares turn budgets: each takes the place of `flow.max_turns`.', examples: [[1, 2, 4]] }),
    trials: z.int().min(1).max(64).default(1).describe('How often each question is asked.'),
    greedy: z
      .boolean()
      .default(true)
      .describe("The policy's planner takes its likeliest tokens. If false it samples, and trials differ."),
    concurrency: z.int().min(1).max(512).default(64).describe('Questions that are open at once.'),
    flow: flowSchema.prefault({}).describe('How a question is answered.'),
  })
  .check(({ value, issues }) => {
    for (const { path, message } of contradictions(value)) issues.push({ code: 'custom', path, message, input: value });
  })
  .meta({ examples: [{ model: 'smollm2-135m-instruct', benchmarks: [{ name: 'atlas', questions: 200 }] }] });

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
