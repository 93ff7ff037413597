import { z } from 'zod';

/** A name the operator registered (a tool, model, dataset, engine): never a path, a URL or a command (I12). */
export const registeredName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'must be a registered name: lower-case letters, digits, ".", "_" and "-", no path and no URL',
  );

/** Which prompt template, and with it which form of reply: `compact` is one line or a few, for small models. */
const prompt = z.enum(['full', 'compact']);
const temperature = z.number().min(0).max(2);

/** A language model that the operator registered, at any provider. */
const llm = z.strictObject({
  engine: z.literal('llm'),
  model: registeredName,
  prompt: prompt.default('full'),
  temperature: temperature.default(0),
  max_tokens: z.int().min(1).max(65_536).default(2048),
  /** One attempt; Temporal retries it. */
  timeout_s: z.number().positive().max(600).default(120),
});

/** The run's base weights, untrained, on the policy server: what the paper's frozen modules are. */
const frozen = z.strictObject({
  engine: z.literal('policy'),
  prompt: prompt.default('compact'),
  temperature: temperature.default(0),
  max_tokens: z.int().min(1).max(4096).default(256),
});

const scripted = z.strictObject({ engine: z.literal('scripted') });

const module = z.discriminatedUnion('engine', [scripted, llm, frozen]).prefault({ engine: 'scripted' });

/** The policy plans: the only engine whose turns have tokens to train on. */
const policyPlanner = z.strictObject({
  engine: z.literal('policy').default('policy').optional(),
  prompt: prompt.default('compact'),
  temperature: z.number().positive().max(10).default(1),
  max_tokens: z.int().min(1).max(4096).default(20),
});

/** What a run may spend on language models of providers; the policy server costs none of it. */
const budget = z.strictObject({
  /** Prompt and reply together. */
  tokens: z.int().positive().optional(),
  /** In the unit of the operator's prices. */
  money: z.number().positive().optional(),
  calls: z.int().positive().optional(),
});

/** The judge of answers that no rule can decide; without one they are wrong. */
const judge = z.strictObject({
  model: registeredName,
  /** Share of the answers that rules did decide and that it judges as well, to compare the two. The rules' word counts. */
  check: z.number().min(0).max(1).default(0),
  max_tokens: z.int().min(1).max(65_536).default(512),
  /** One attempt; Temporal retries it. */
  timeout_s: z.number().positive().max(600).default(120),
});

const parts = {
  max_turns: z.int().min(1).max(50).default(2),
  /** Seconds of successful calls (design 4): time lost to outages does not count. */
  time_budget_s: z.number().positive().max(86_400).default(600),
  tools: z.array(registeredName).min(1).default(['calculator', 'lookup', 'generator']),
  query_analysis: module,
  executor: module,
  verifier: module,
  generator: module,
  /** What tools ask that need a model themselves. */
  tool_engine: z.discriminatedUnion('engine', [llm, frozen]).prefault({ engine: 'policy', max_tokens: 24 }),
  /** `direct`: a short answer; `final`: worked out step by step; `base`: the planner's model alone, without tools. */
  outputs: z
    .array(z.enum(['direct', 'final', 'base']))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'names an output twice')
    .default(['direct']),
  /** Tokens of memory in a prompt, estimated as four bytes each: older results are shortened first. */
  memory_tokens: z.int().min(200).max(12_000).default(8_000),
  budget: budget.optional(),
  scoring: z.strictObject({ judge: judge.optional() }).prefault({}),
  /** Answers equal calls of frozen modules from what was answered before. */
  cache: z.boolean().default(false),
};

/** The flow of a training run: only the policy plans. */
export const trainingFlowSchema = z.strictObject({ ...parts, planner: policyPlanner.prefault({}) });

/** The flow of a question or an evaluation: any engine plans. A scripted planner is the oracle of the atlas. */
export const flowSchema = z.strictObject({
  ...parts,
  planner: z.discriminatedUnion('engine', [policyPlanner, llm, scripted]).prefault({ engine: 'policy' }),
});

type Flow = z.infer<typeof flowSchema>;
export type JudgeConfig = z.infer<typeof judge>;
export type LlmConfig = z.infer<typeof llm>;
export type FrozenPolicyConfig = z.infer<typeof frozen>;
export type PolicyPlannerConfig = z.infer<typeof policyPlanner>;
/** How an agent module other than the planner gets its text. */
export type ModuleConfig = z.infer<typeof module>;
export type ToolEngineConfig = LlmConfig | FrozenPolicyConfig;
export type AnswerKind = Flow['outputs'][number];
/** `random` and `oracle` are the yardsticks of an evaluation: they plan without a model. */
export type PlannerConfig = Flow['planner'] | { engine: 'random' | 'oracle' };
/** The configuration that a flow runs by. */
export type FlowConfig = Omit<Flow, 'planner'> & { planner: PlannerConfig };
