import type { ModuleActivities, Verdict, VerifyTurnInput } from '../../../contracts/agent-activities.js';
import type { Tool } from '../../tools/tool.js';
import type { Produced } from '../../trajectories/turn-store.js';
import { memoryLine } from '../compact-texts.js';
import { callsOf } from '../module-calls.js';
import type { ModuleDependencies } from '../module-dependencies.js';
import { askModule, type ModuleRequest } from '../module-prompts.js';
import { describeAnalysis, describeMemory, describeTools } from '../prompt-texts.js';
import { PromptTemplate } from '../prompt-template.js';
import { readVerdict, VERDICT_FORM } from './read-verdict.js';
import { verify } from './verify.js';

export const VERIFIER_TEMPLATES = {
  full: PromptTemplate.read(new URL('./prompts/full.txt', import.meta.url)),
  compact: PromptTemplate.read(new URL('./prompts/compact.txt', import.meta.url)),
};

export function createVerifierActivities(dependencies: ModuleDependencies): Pick<ModuleActivities, 'verifyTurn'> {
  const { turns, tools } = dependencies;
  return {
    verifyTurn: (input: VerifyTurnInput) =>
      turns.once<Verdict>({ flowId: input.flow.flowId, turn: input.turn, module: 'verifier' }, () =>
        verdict(dependencies, input, tools.select(input.tools)),
      ),
  };
}

async function verdict(
  dependencies: ModuleDependencies,
  input: VerifyTurnInput,
  tools: readonly Tool[],
): Promise<Produced<Verdict>> {
  const { query, module, memory, turn } = input;
  if (module.engine === 'scripted') return { output: verify(query.question, memory) };
  const calls = callsOf(dependencies, input, 'verifier', turn);
  const { text } = await askModule(calls, module, VERIFIER_TEMPLATES, verdictRequest(input, tools));
  return { output: readVerdict(text), recorded: calls.record() };
}

export function verdictRequest(
  { query, analysis, memory }: Pick<VerifyTurnInput, 'query' | 'analysis' | 'memory'>,
  tools: readonly Tool[],
): ModuleRequest {
  const { question } = query;
  const values = {
    full: {
      question,
      tools: describeTools(tools),
      analysis: describeAnalysis(analysis),
      memory: describeMemory(memory, tools),
    },
    compact: { question, memory: memoryLine(memory, tools) },
  };
  return { query, values, form: VERDICT_FORM };
}
