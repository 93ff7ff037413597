import { cancellationSignal } from '@temporalio/activity';
import type { ModuleActivities, Plan, PlanTurnInput } from '../../../workflows/contracts/agent-activities.js';
import type { PlannerConfig } from '../../../workflows/contracts/flow-config.js';
import { FailureType } from '../../../workflows/contracts/failures.js';
import { nonRetryable } from '../../failures/non-retryable.js';
import type { PolicyClient } from '../../engines/policy-client.js';
import type { Tool } from '../../tools/tool.js';
import type { ToolRegistry } from '../../tools/tool-registry.js';
import type { TurnStore } from '../../trajectories/turn-store.js';
import { oracleEngine } from './oracle.engine.js';
import { parseAction } from './parse-action.js';
import type { PlannerEngine, PlannerText } from './planner-engine.js';
import { policyEngine } from './policy.engine.js';
import { randomEngine } from './random.engine.js';

export interface PlannerDependencies {
  turns: TurnStore;
  tools: ToolRegistry;
  policyClient: PolicyClient;
}

export function createPlannerActivities({
  turns,
  tools,
  policyClient,
}: PlannerDependencies): Pick<ModuleActivities, 'planTurn'> {
  return {
    planTurn: (input: PlanTurnInput) =>
      turns.once<Plan>({ flowId: input.flow.flowId, turn: input.turn, module: 'planner' }, async () => {
        const offered = tools.select(input.tools);
        const planned = await engineOf(input.planner, policyClient)(input, offered, cancellationSignal());
        return { output: toPlan(planned, offered), sample: planned.sample };
      }),
  };
}

function engineOf(planner: PlannerConfig, client: PolicyClient): PlannerEngine {
  switch (planner.engine) {
    case 'random':
      return randomEngine;
    case 'oracle':
    case 'scripted':
      return oracleEngine;
    case 'llm':
      throw nonRetryable(FailureType.BadConfiguration, 'flow.planner.engine: llm is not available yet.');
    case 'policy':
    case undefined:
      return policyEngine(client, planner);
  }
}

function toPlan({ text, finishReason, sample }: PlannerText, tools: readonly Tool[]): Plan {
  return { text, ...parseAction(text, tools), finishReason, sampledTokens: sample?.responseTokenIds.length ?? 0 };
}
