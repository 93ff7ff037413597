import type { ModuleConfig } from '../../contracts/flow-config.js';
import type { RunConfig } from '../../contracts/run-config.js';
import type { Tool } from '../tools/tool.js';
import { COMMAND_TEMPLATES, commandRequest } from './executor/llm-executor.js';
import { ANSWER_TEMPLATES, answerRequest } from './generator/generator.activity.js';
import type { ModuleRequest, ModuleTemplates } from './module-prompts.js';
import { ANALYSIS_TEMPLATES, analysisRequest } from './query-analysis/query-analysis.activity.js';
import { sampleFlow } from './sample-flow.js';
import { VERIFIER_TEMPLATES, verdictRequest } from './verifier/verifier.activity.js';

type Flow = Pick<RunConfig['flow'], 'query_analysis' | 'executor' | 'verifier' | 'generator' | 'outputs'>;

/**
 * What the frozen modules of a flow would ask of their engines in a made-up case, whatever the engine can be held to:
 * it changes with every change of a template, of a tool's text and of how the parts of a prompt are written (I8). Empty
 * where all of them are scripted.
 */
export function modulePrompts(flow: Flow, tools: readonly Tool[]): object[] {
  const seen = sampleFlow(tools);
  const outputs = flow.outputs.filter((output) => output !== 'base');
  return [
    ...promptsOf(flow.query_analysis, ANALYSIS_TEMPLATES, analysisRequest(seen.query, tools)),
    ...tools.flatMap((tool) => promptsOf(flow.executor, COMMAND_TEMPLATES, commandRequest(seen, tool))),
    ...promptsOf(flow.verifier, VERIFIER_TEMPLATES, verdictRequest(seen, tools)),
    ...outputs.flatMap((output) => promptsOf(flow.generator, ANSWER_TEMPLATES[output], answerRequest(seen, tools))),
  ];
}

function promptsOf(binding: ModuleConfig, templates: ModuleTemplates, { values, form }: ModuleRequest): object[] {
  if (binding.engine === 'scripted') return [];
  const { prompt } = binding;
  const messages = (['text', 'json'] as const).map((style) => templates[prompt].render(values[prompt], { style }));
  return [{ messages, form }];
}
