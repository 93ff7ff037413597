import type { LlmConfig } from '../../../contracts/flow-config.js';
import { callSeed } from '../../engines/call-seed.js';
import { ModelCalls, type ModelCallDependencies } from '../../engines/model-calls.js';
import { withImages } from '../module-prompts.js';
import { STEP_FORM } from './parse-step.js';
import type { PlannerEngine } from './planner-engine.js';
import { compactPrompt, fullPrompt, PLANNER_TEMPLATES } from './planner-prompt.js';

/** A registered language model plans. Its replies are never taken from the cache. */
export function llmEngine(dependencies: ModelCallDependencies, config: LlmConfig): PlannerEngine {
  return async (input, tools, signal) => {
    const { flow, model, budget, turn, query } = input;
    const seed = callSeed(flow, turn);
    const calls = new ModelCalls(dependencies, {
      flow,
      model,
      budget,
      cache: false,
      module: 'planner',
      turn,
      seed,
      signal,
    });
    const template = PLANNER_TEMPLATES[config.prompt].sha256;
    const held = config.prompt === 'full' && calls.repliesInJson(config);
    const rendered =
      config.prompt === 'full'
        ? fullPrompt(input, tools, held ? 'json' : 'text')
        : compactPrompt(query.question, tools, input.memory, input.turnsLeft);
    const messages = calls.takesImages(config) ? withImages(rendered, query.images) : rendered;
    const binding = input.greedy ? { ...config, temperature: 0 } : config;
    const { text, finishReason } = await calls.ask(binding, { messages, template, form: held ? STEP_FORM : undefined });
    return { text, finishReason, recorded: calls.record() };
  };
}
