import { cellsOf } from '../../contracts/benchmark-evaluation.js';
import type { FlowConfig } from '../../contracts/flow-config.js';
import { stepSize } from '../../cli/output/step-size.js';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { modelsOf } from '../../infra/config/submitted/reply-room.js';
import type { Stage } from './stages.js';

/** Of a prompt without its memory: instructions, tools, question, analysis. Most have fewer. */
const PROMPT_TOKENS = 4_000;

/** What a stage asks for at most, if no call is repeated. */
export interface Ceiling {
  flows: number;
  /** Each calls one tool, which may cost something itself: a search, for example. */
  turns: number;
  /** By language model of a provider. */
  models: Record<string, Calls>;
  /** The planner's own, on the policy server. */
  planner: Calls;
}

export interface Calls {
  calls: number;
  /** Tokens of prompts and replies. */
  input: number;
  output: number;
}

/** @param sizes how many questions a benchmark has, if an evaluation asks all of them; undefined if that is not known */
export function ceilingOf(stage: Stage, sizes: ReadonlyMap<string, number>): Ceiling | undefined {
  const total: Ceiling = { flows: 0, turns: 0, models: {}, planner: { calls: 0, input: 0, output: 0 } };
  for (const { flows, maxTurns } of partsOf(stage, sizes)) {
    if (flows === undefined) return undefined;
    addFlows(total, stage.config.flow, flows, maxTurns);
  }
  return total;
}

interface Part {
  flows: number | undefined;
  maxTurns: number;
}

function partsOf(stage: Stage, sizes: ReadonlyMap<string, number>): Part[] {
  if (stage.kind === 'evaluation') {
    const { config } = stage;
    return cellsOf(config).map(({ benchmark, maxTurns }) => {
      const questions = benchmark.questions ?? sizes.get(benchmark.name);
      return { maxTurns, flows: questions === undefined ? undefined : questions * config.trials };
    });
  }
  const { config } = stage;
  const step = stepSize(config);
  const rollouts = 'rollouts' in step ? config.steps * step.rollouts : 0;
  const { every, questions, yardsticks } = config.evaluation;
  const evaluations = 2 + (every === 0 ? 0 : Math.ceil(config.steps / every) - 1) + (yardsticks ? 2 : 0);
  return [{ maxTurns: config.flow.max_turns, flows: rollouts + evaluations * questions }];
}

/** What a flow does once; all else that asks a model is done at each turn. */
const ONCE = ['query_analysis', 'generator', 'scoring.judge'];

function addFlows(total: Ceiling, flow: FlowConfig, flows: number, maxTurns: number): void {
  total.flows += flows;
  total.turns += flows * maxTurns;
  for (const [name, module] of modelsOf(flow)) {
    const sum = sumOf(total, name, module);
    if (!sum || !('max_tokens' in module)) continue;
    const calls = flows * (ONCE.includes(name) ? 1 : maxTurns) * (name === 'generator' ? flow.outputs.length : 1);
    sum.calls += calls;
    sum.input += calls * (PROMPT_TOKENS + flow.memory_tokens);
    sum.output += calls * module.max_tokens;
  }
}

/** Undefined for a module that asks nobody, or the untrained model on the policy server, which costs nothing. */
function sumOf(total: Ceiling, name: string, module: { engine?: string; model?: string }): Calls | undefined {
  if (module.engine === 'llm') return (total.models[module.model!] ??= { calls: 0, input: 0, output: 0 });
  return name === 'planner' ? total.planner : undefined;
}

/** In the unit of the operator's prices; undefined if no model has one. */
export function moneyOf(
  { models }: Ceiling,
  { language_models }: Pick<OperatorFile, 'language_models'>,
): number | undefined {
  const prices = Object.entries(models).flatMap(([name, { input, output }]) => {
    const price = language_models[name]?.price;
    return price ? [(input * price.input + output * price.output) / 1e6] : [];
  });
  return prices.length === 0 ? undefined : prices.reduce((sum, price) => sum + price, 0);
}
