import type { FlowConfig } from '../../../contracts/flow-config.js';
import type { OperatorFile } from '../operator-file.js';
import type { ConfigIssue } from './config-issues.js';
import { modelsOf, overlongReplies } from './reply-room.js';

/** Tools that need an argument beside the planner's words, which are all that the scripted executor has. */
const SEVERAL_ARGUMENTS: readonly string[] = ['web_reader'];

/**
 * What of a flow can never work, although every name in it is registered.
 * @param model serves what is bound to `policy`; undefined if it is known later only
 */
export function impossibleInFlow(
  flow: FlowConfig,
  model: string | undefined,
  registered: Pick<OperatorFile, 'models' | 'language_models'>,
): ConfigIssue[] {
  return [
    ...overlongReplies(flow, model, registered),
    ...withoutPrice(flow, registered.language_models),
    ...withoutArguments(flow),
  ];
}

/** Language models whose calls a budget of money would not count. */
function withoutPrice(flow: FlowConfig, languageModels: OperatorFile['language_models']): ConfigIssue[] {
  if (flow.budget?.money === undefined) return [];
  const param = 'flow.budget.money';
  return modelsOf(flow).flatMap(([name, module]) => {
    if (module.engine !== 'llm' || !Object.hasOwn(languageModels, module.model) || languageModels[module.model].price)
      return [];
    const { model } = module;
    const help = `The operator can set language_models.${model}.price; budget.tokens and budget.calls need none.`;
    return [
      { param, message: `${param}: "${model}" (flow.${name}.model) has no price, so it would limit nothing. ${help}` },
    ];
  });
}

function withoutArguments({ tools, executor }: FlowConfig): ConfigIssue[] {
  if (executor.engine !== 'scripted') return [];
  return tools.flatMap((tool, index) => {
    if (!SEVERAL_ARGUMENTS.includes(tool)) return [];
    const param = `flow.tools[${index}]`;
    const message = `${param}: "${tool}" needs several arguments, and flow.executor.engine: scripted writes one. Take llm or policy.`;
    return [{ param, message }];
  });
}
