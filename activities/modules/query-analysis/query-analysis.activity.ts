import type { AnalyseQueryInput, ModuleActivities } from '../../../workflows/contracts/agent-activities.js';
import type { Analysis } from '../../../workflows/contracts/flow.js';
import type { ToolRegistry } from '../../tools/tool-registry.js';
import { OUTSIDE_TURNS, type TurnStore } from '../../trajectories/turn-store.js';
import { analyse } from './analyse.js';

export interface QueryAnalysisDependencies {
  turns: TurnStore;
  tools: ToolRegistry;
}

export function createQueryAnalysisActivities({
  turns,
  tools,
}: QueryAnalysisDependencies): Pick<ModuleActivities, 'analyseQuery'> {
  return {
    analyseQuery: ({ flow, query, tools: names }: AnalyseQueryInput) =>
      turns.once<{ analysis: Analysis }>(
        { flowId: flow.flowId, turn: OUTSIDE_TURNS, module: 'query_analysis' },
        async () => ({ output: { analysis: analyse(query.question, tools.select(names)) } }),
      ),
  };
}
