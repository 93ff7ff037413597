import { cancellationSignal } from '@temporalio/activity';
import type { ModuleActivities, Plan, PlanTurnInput } from '../../../contracts/agent-activities.js';
import type { PlannerConfig } from '../../../contracts/flow-config.js';
import { withoutThinking } from '../../engines/without-thinking.js';
import { cutText } from '../../text/cut-text.js';
import type { Tool } from '../../tools/tool.js';
import type { ModuleDependencies } from '../module-dependencies.js';
import { llmEngine } from './llm.engine.js';
import { oracleEngine } from './oracle.engine.js';
import { parseAction } from './parse-action.js';
import { parseStep } from './parse-step.js';
import type { PlannerEngine, PlannerText } from './planner-engine.js';
import { policyEngine } from './policy.engine.js';
import { randomEngine } from './random.engine.js';

export function createPlannerActivities(dependencies: ModuleDependencies): Pick<ModuleActivities, 'planTurn'> {
  const { turns, tools } = dependencies;
  return {
    planTurn: (input: PlanTurnInput) =>
      turns.once<Plan>({ flowId: input.flow.flowId, turn: input.turn, module: 'planner' }, async () => {
        const offered = tools.select(input.tools);
        const planned = await engineOf(input.planner, dependencies)(input, offered, cancellationSignal());
        const { sample, recorded } = planned;
        return { output: toPlan(planned, input.planner, offered), sample, recorded };
      }),
  };
}

function engineOf(planner: PlannerConfig, dependencies: ModuleDependencies): PlannerEngine {
  switch (planner.engine) {
    case 'random':
      return randomEngine;
    case 'oracle':
    case 'scripted':
      return oracleEngine;
    case 'llm':
      return llmEngine(dependencies.models, planner);
    case 'policy':
    case undefined:
      return policyEngine(dependencies.models.policyClient, planner);
  }
}

function toPlan({ text, finishReason, sample }: PlannerText, planner: PlannerConfig, tools: readonly Tool[]): Plan {
  const isFull = 'prompt' in planner && planner.prompt === 'full';
  const said = withoutThinking(text);
  const action = isFull ? parseStep(said, finishReason, tools) : parseAction(said, tools);
  const asksModel = tools.some(({ name, asksModel }) => name === action.tool && asksModel);
  const sampledTokens = sample?.responseTokenIds.length ?? 0;
  return { text: cutText(text), ...action, ...(asksModel && { asksModel }), finishReason, sampledTokens };
}
