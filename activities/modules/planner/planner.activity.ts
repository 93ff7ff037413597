import { cancellationSignal } from '@temporalio/activity';
import type { ModuleActivities, Plan, PlanTurnInput } from '../../../workflows/contracts/agent-activities.js';
import type { PlannerConfig } from '../../../workflows/contracts/flow-config.js';
import { cutText } from '../../tools/cut-text.js';
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
  const action = isFull ? parseStep(text, finishReason, tools) : parseAction(text, tools);
  return { text: cutText(text), ...action, finishReason, sampledTokens: sample?.responseTokenIds.length ?? 0 };
}
