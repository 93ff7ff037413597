import type { FlowConfig } from '../../../contracts/flow-config.js';
import type { OperatorFile } from '../operator-file.js';
import type { ConfigIssue } from './config-issues.js';

/** No prompt of a module is shorter. */
const PROMPT_TOKENS = 16;

/**
 * Replies that may be so long that their model's context has no room for a prompt: every call would be refused.
 * @param model serves what is bound to `policy`; undefined if it is known later only
 */
export function overlongReplies(
  flow: FlowConfig,
  model: string | undefined,
  { models, language_models: languageModels }: Pick<OperatorFile, 'models' | 'language_models'>,
): ConfigIssue[] {
  return modelsOf(flow).flatMap(([name, module]) => {
    if (!('max_tokens' in module)) return [];
    const asked = module.engine === 'llm' ? module.model : model;
    const context = (module.engine === 'llm' ? languageModels : models)[asked ?? '']?.context;
    const most = (context ?? Infinity) - PROMPT_TOKENS;
    if (module.max_tokens <= most) return [];
    const param = `flow.${name}.max_tokens`;
    const room =
      most < 1 ? 'No value leaves room for a prompt.' : `The largest that leaves room for a prompt is ${most}.`;
    return [
      {
        param,
        message: `${param}: ${module.max_tokens} is too large for ${asked}, whose context has ${context} tokens. ${room}`,
      },
    ];
  });
}

/** Whatever of a flow may ask a model, each by its key. */
export function modelsOf(flow: FlowConfig) {
  const { planner, query_analysis, executor, verifier, generator, tool_engine, scoring } = flow;
  const modules = { planner, query_analysis, executor, verifier, generator, tool_engine };
  return Object.entries({
    ...modules,
    ...(scoring.judge && { 'scoring.judge': { engine: 'llm' as const, ...scoring.judge } }),
  });
}
