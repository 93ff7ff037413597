import { z } from 'zod';
import { REWARDS, RULES_VERSIONS, UNDECIDED_CHOICES } from './scoring.js';

/** A name the operator registered (a tool, model, dataset, engine): never a path, a URL or a command (I12). */
export const registeredName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/,
    'must be a registered name: lower-case letters, digits, ".", "_" and "-", no path and no URL',
  )
  .meta({ title: 'registered name' });

/** The name of a dataset and, if a project uploaded it, which upload has the name: the API fills that in. */
export const datasetRef = {
  name: registeredName,
  upload: z
    .string()
    .max(64)
    .optional()
    .describe(
      'Id of the upload that has this name in the project. The API fills it in; whoever says it pins the upload.',
    ),
};

/** Which prompt template, and with it which form of reply. */
const prompt = z.enum(['full', 'compact']);
const moduleTemplate =
  'The prompt template, and with it the form of the reply: `compact` is a few lines, for small models.';
const temperature = z.number().min(0).max(2);
const deterministic = 'Sampling temperature. 0 takes the likeliest token each time.';

const llm = z
  .strictObject({
    engine: z.literal('llm'),
    model: registeredName.describe("A name of the operator's `language_models`."),
    prompt: prompt.default('full').describe(moduleTemplate),
    temperature: temperature.default(0).describe(deterministic),
    max_tokens: z.int().min(1).max(65_536).default(2048).describe('Maximum number of tokens in a reply.'),
    timeout_s: z
      .number()
      .positive()
      .max(600)
      .default(120)
      .describe('Seconds of one attempt. Attempts are repeated until the patience is over.'),
  })
  .describe('A language model that the operator registered, at any provider.');

/** What the paper's frozen modules are. */
const frozen = z
  .strictObject({
    engine: z.literal('policy'),
    prompt: prompt.default('compact').describe(moduleTemplate),
    temperature: temperature.default(0).describe(deterministic),
    max_tokens: z.int().min(1).max(4096).default(256).describe('Maximum number of tokens in a reply.'),
  })
  .describe("The untrained base weights of the run's model, on the policy server.");

const scripted = z
  .strictObject({ engine: z.literal('scripted') })
  .describe('Deterministic code, written for the questions of the atlas.');

const module = z.discriminatedUnion('engine', [scripted, llm, frozen]).prefault({ engine: 'scripted' });

const policyPlanner = z
  .strictObject({
    engine: z
      .literal('policy')
      .default('policy')
      .optional()
      .describe('The only engine whose turns have tokens to train on.'),
    prompt: prompt
      .default('compact')
      .describe('`compact`: one line `Tool: input` as the action. `full`: justification, context, sub-goal and tool.'),
    temperature: z
      .number()
      .positive()
      .max(10)
      .default(1)
      .describe('Sampling temperature of training rollouts. Evaluation takes the likeliest token.'),
    max_tokens: z.int().min(1).max(4096).default(20).describe('Maximum number of tokens in a plan.'),
  })
  .describe('The weights that are trained or evaluated.');

const budget = z
  .strictObject({
    tokens: z.int().positive().optional().describe('Maximum number of tokens in prompts and replies together.'),
    money: z.number().positive().optional().describe("Maximum amount of money, in the unit of the operator's prices."),
    calls: z.int().positive().optional().describe('Maximum number of calls.'),
  })
  .describe(
    'What the run may spend on language models of providers. If any of the three is spent, the run pauses. Resuming it grants the same budget again. The policy server costs nothing.',
  );

const judge = z
  .strictObject({
    model: registeredName.describe("A name of the operator's `language_models`."),
    check: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe(
        "Share of the answers decided by a rule that the judge grades as well, to compare the two. The rule's verdict counts.",
      ),
    max_tokens: z.int().min(1).max(65_536).default(512).describe("Maximum number of tokens in the judge's reply."),
    timeout_s: z.number().positive().max(600).default(120).describe('Seconds of one attempt.'),
  })
  .describe('A language model that judges answers that no rule can decide.');

const scoring = z
  .strictObject({
    rules: z
      .enum(RULES_VERSIONS)
      .default('rules-3')
      .describe('Version of what counts as right (docs/benchmarks.md). A run keeps the one that it began with.'),
    judge: judge.optional(),
    undecided: z
      .enum(UNDECIDED_CHOICES)
      .optional()
      .describe(
        'What becomes of an answer that no rule can decide. `judge`: the judge decides. `wrong`: its reward is 0. `exclude`: its rollout is excluded, with the outcome `undecided`; in an evaluation it counts as wrong and is shown apart. Without this key: `judge` if there is one, else `wrong`.',
      ),
    reward: z
      .enum(REWARDS)
      .default('exact')
      .describe(
        "What training rollouts are rewarded by. `exact`: 1 for a right answer, 0 for a wrong one. `f1`: the same if the rules decide; if they cannot, the F1 of the answer's words, from 0 to 1 (docs/benchmarks.md#reward-by-f1), and neither `undecided` nor the judge has a say. It applies to texts only: other kinds of answers are rewarded as with `exact`. Evaluations ignore it: accuracy counts right answers.",
      ),
  })
  .check(({ value, issues }) => {
    if (value.undecided !== 'judge' || value.judge) return;
    const message = 'needs a judge: name a language model in flow.scoring.judge, or say "wrong" or "exclude"';
    issues.push({ code: 'custom', path: ['undecided'], message, input: value });
  });

const parts = {
  max_turns: z
    .int()
    .min(1)
    .max(50)
    .default(2)
    .describe('Maximum number of turns of a rollout. The planner is told how many are left.'),
  time_budget_s: z
    .number()
    .positive()
    .max(86_400)
    .default(600)
    .describe(
      'Seconds of successful calls. Time lost to outages, or waiting for a place at a provider, does not count.',
    ),
  tools: z
    .array(registeredName)
    .min(1)
    .default(['calculator', 'lookup', 'generator'])
    .describe('Tools that the planner may call, in the order of its prompt.'),
  query_analysis: module.describe('The module that says, once before the turns, what the question needs.'),
  executor: module.describe(
    "The module that writes the tool's arguments. `scripted` passes the planner's input on as the tool's one argument.",
  ),
  verifier: module.describe(
    "The module that says STOP or CONTINUE, and why. `scripted` decides by the question's wording.",
  ),
  generator: module.describe(
    'The module that writes the answer. `scripted` takes the last number of the last useful result.',
  ),
  tool_engine: z
    .discriminatedUnion('engine', [llm, frozen])
    .prefault({ engine: 'policy', max_tokens: 24 })
    .describe('The engine of tools that ask a model themselves, such as `generator`.'),
  outputs: z
    .array(z.enum(['direct', 'final', 'base']))
    .min(1)
    .refine((names) => new Set(names).size === names.length, 'names an output twice')
    .default(['direct'])
    .describe(
      "Which answers are written; the first one is scored. `direct`: a short answer. `final`: an answer worked out step by step. `base`: the answer of the planner's model without tools; if it is the only output, the flow takes no turn.",
    ),
  memory_tokens: z
    .int()
    .min(200)
    .max(12_000)
    .default(8_000)
    .describe(
      'Maximum number of tokens of memory in a prompt, estimated as four bytes each. If there are more, results are shortened, the oldest first, and then whole turns are left out; the prompt says so.',
    ),
  budget: budget.optional(),
  scoring: scoring.prefault({}),
  cache: z
    .boolean()
    .default(false)
    .describe(
      'Answers a call of a frozen module or a tool with the stored reply to an equal call, of any run in this database. The calls of the planner are never answered in this way.',
    ),
};

/** The flow of a training run: only the policy plans. */
export const trainingFlowSchema = z.strictObject({
  ...parts,
  planner: policyPlanner.prefault({}).describe('The module that is trained: it says what each turn does.'),
});

/** The flow of a question or an evaluation: any engine plans. */
export const flowSchema = z.strictObject({
  ...parts,
  planner: z
    .discriminatedUnion('engine', [policyPlanner, llm, scripted])
    .prefault({ engine: 'policy' })
    .describe('The module that says what each turn does. `scripted` is an oracle of the atlas: it plans correctly.'),
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
