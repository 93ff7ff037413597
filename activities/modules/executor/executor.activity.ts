import { cancellationSignal } from '@temporalio/activity';
import type { ExecuteTurnInput, ModuleActivities } from '../../../workflows/contracts/agent-activities.js';
import { callSeed } from '../../engines/call-seed.js';
import { cutText } from '../../tools/cut-text.js';
import type { ToolRegistry } from '../../tools/tool-registry.js';
import type { TurnStore } from '../../trajectories/turn-store.js';
import { executeSubGoal, type ToolRun } from './scripted-executor.js';

export interface ExecutorDependencies {
  turns: TurnStore;
  tools: ToolRegistry;
}

export function createExecutorActivities({
  turns,
  tools,
}: ExecutorDependencies): Pick<ModuleActivities, 'executeTurn'> {
  return {
    executeTurn: async ({ flow, query, turn, model, tool, subGoal }: ExecuteTurnInput) => {
      const run = await turns.once<ToolRun>({ flowId: flow.flowId, turn, module: 'executor' }, async () => ({
        output: await executeSubGoal(tools.named(tool), subGoal, {
          flowId: flow.flowId,
          turn,
          dataset: query.dataset,
          model,
          seed: callSeed(flow, turn),
          signal: cancellationSignal(),
        }),
      }));
      return { ...run, result: cutText(run.result) };
    },
  };
}
