import type { AnalyseQueryInput, ModuleActivities } from '../../../contracts/agent-activities.js';
import type { Analysis, Query } from '../../../contracts/flow.js';
import type { Tool } from '../../tools/tool.js';
import { OUTSIDE_TURNS } from '../../trajectories/turn-key.js';
import type { Produced } from '../../trajectories/turn-store.js';
import { callsOf } from '../module-calls.js';
import type { ModuleDependencies } from '../module-dependencies.js';
import { askModule, type ModuleRequest } from '../module-prompts.js';
import { describeTools } from '../prompt-texts.js';
import { PromptTemplate } from '../prompt-template.js';
import { analyse } from './analyse.js';
import { ANALYSIS_FORM, readAnalysis } from './read-analysis.js';

export const ANALYSIS_TEMPLATES = {
  full: PromptTemplate.read(new URL('./prompts/full.txt', import.meta.url)),
  compact: PromptTemplate.read(new URL('./prompts/compact.txt', import.meta.url)),
};

export function createQueryAnalysisActivities(
  dependencies: ModuleDependencies,
): Pick<ModuleActivities, 'analyseQuery'> {
  const { turns, tools } = dependencies;
  return {
    analyseQuery: (input: AnalyseQueryInput) =>
      turns.once<{ analysis: Analysis }>(
        { flowId: input.flow.flowId, turn: OUTSIDE_TURNS, module: 'query_analysis' },
        () => analysis(dependencies, input, tools.select(input.tools)),
      ),
  };
}

async function analysis(
  dependencies: ModuleDependencies,
  input: AnalyseQueryInput,
  tools: readonly Tool[],
): Promise<Produced<{ analysis: Analysis }>> {
  const { query, module } = input;
  if (module.engine === 'scripted') return { output: { analysis: analyse(query.question, tools) } };
  const calls = callsOf(dependencies, input, 'query_analysis');
  const { text } = await askModule(calls, module, ANALYSIS_TEMPLATES, analysisRequest(query, tools));
  return { output: { analysis: readAnalysis(text) }, recorded: calls.record() };
}

export function analysisRequest(query: Query, tools: readonly Tool[]): ModuleRequest {
  const { question } = query;
  const values = { full: { question, tools: describeTools(tools) }, compact: { question } };
  return { query, values, form: ANALYSIS_FORM };
}
