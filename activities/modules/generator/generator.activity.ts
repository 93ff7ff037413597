import type { GenerateAnswerInput, ModuleActivities } from '../../../contracts/agent-activities.js';
import { cutText } from '../../text/cut-text.js';
import type { Tool } from '../../tools/tool.js';
import { OUTSIDE_TURNS, type AgentModule } from '../../trajectories/turn-key.js';
import type { Produced } from '../../trajectories/turn-store.js';
import { memoryLine } from '../compact-texts.js';
import { callsOf } from '../module-calls.js';
import type { ModuleDependencies } from '../module-dependencies.js';
import { askModule, type ModuleRequest } from '../module-prompts.js';
import { describeAnalysis, describeMemory } from '../prompt-texts.js';
import { PromptTemplate } from '../prompt-template.js';
import { askedForm } from './asked-form.js';
import { baseAnswer } from './base-answer.js';
import { lastNumber } from './last-number.js';
import { taggedAnswer } from './tagged-answer.js';

const read = (file: string) => PromptTemplate.read(new URL(`./prompts/${file}.txt`, import.meta.url));
export const ANSWER_TEMPLATES = {
  direct: { full: read('full.direct'), compact: read('compact.direct') },
  final: { full: read('full.final'), compact: read('compact.final') },
};

/** The row of each output. */
const ROWS: Record<GenerateAnswerInput['output'], AgentModule> = {
  direct: 'generator',
  final: 'generator.final',
  base: 'generator.base',
};

export function createGeneratorActivities(dependencies: ModuleDependencies): Pick<ModuleActivities, 'generateAnswer'> {
  return {
    generateAnswer: (input: GenerateAnswerInput) =>
      dependencies.turns.once<{ answer: string }>(
        { flowId: input.flow.flowId, turn: OUTSIDE_TURNS, module: ROWS[input.output] },
        () => (input.output === 'base' ? baseAnswer(dependencies, input) : answer(dependencies, input, input.output)),
      ),
  };
}

async function answer(
  dependencies: ModuleDependencies,
  input: GenerateAnswerInput,
  output: keyof typeof ANSWER_TEMPLATES,
): Promise<Produced<{ answer: string }>> {
  const { module, memory } = input;
  if (module.engine === 'scripted') return { output: { answer: lastNumber(memory) } };
  const called = dependencies.tools.select([...new Set(memory.flatMap(({ tool }) => tool ?? []))]);
  const calls = callsOf(dependencies, input, ROWS[output]);
  const { text } = await askModule(calls, module, ANSWER_TEMPLATES[output], answerRequest(input, called));
  return {
    output: { answer: cutText(output === 'direct' ? taggedAnswer(text) : text.trim()) },
    recorded: calls.record(),
  };
}

/** @param called the tools that the memory mentions */
export function answerRequest(
  { query, analysis, memory }: Pick<GenerateAnswerInput, 'query' | 'analysis' | 'memory'>,
  called: readonly Tool[],
): ModuleRequest {
  const question = askedForm(query);
  const values = {
    full: { question, analysis: describeAnalysis(analysis), memory: describeMemory(memory, called) },
    compact: { question, memory: memoryLine(memory, called) },
  };
  return { query, values };
}
