import type { ExecuteTurnInput } from '../../../contracts/agent-activities.js';
import type { ToolEngineConfig } from '../../../contracts/flow-config.js';
import type { ReplyForm } from '../../engines/llm/language-model.js';
import type { ModelCalls } from '../../engines/model-calls.js';
import type { Tool } from '../../tools/tool.js';
import { askModule, type ModuleRequest } from '../module-prompts.js';
import { notesOf } from '../prompt-texts.js';
import { PromptTemplate } from '../prompt-template.js';
import { readArguments } from './read-arguments.js';
import type { Written } from './run-command.js';

export const COMMAND_TEMPLATES = {
  full: PromptTemplate.read(new URL('./prompts/full.txt', import.meta.url)),
  compact: PromptTemplate.read(new URL('./prompts/compact.txt', import.meta.url)),
};

/** A language model writes the tool's arguments: data, which the tool checks (I10). */
export async function writeArguments(
  calls: ModelCalls,
  module: ToolEngineConfig,
  input: ExecuteTurnInput,
  tool: Tool,
): Promise<Written> {
  const { text, finishReason } = await askModule(calls, module, COMMAND_TEMPLATES, commandRequest(input, tool));
  return readArguments(text, finishReason, keysOf(tool));
}

export function commandRequest(
  { query, subGoal, context = '' }: Pick<ExecuteTurnInput, 'query' | 'subGoal' | 'context'>,
  tool: Tool,
): ModuleRequest {
  const values = {
    full: {
      question: query.question,
      tool: `${tool.title}: ${tool.description}`,
      tool_notes: notesOf(tool),
      schema: JSON.stringify(tool.inputJsonSchema),
      sub_goal: subGoal,
      context: context || 'none',
    },
    compact: {
      tool: tool.title,
      tool_notes: `It ${tool.description}. Keys: ${keysOf(tool).join(', ')}.`,
      examples: tool.metadata.demos
        .map(({ purpose, arguments: input }) => `${purpose} -> ${JSON.stringify(input)}`)
        .join('\n'),
      sub_goal: subGoal,
    },
  };
  return { query, values, form: commandForm(tool) };
}

function commandForm(tool: Tool): ReplyForm {
  return {
    name: 'tool_command',
    strict: false,
    jsonSchema: {
      type: 'object',
      properties: { reasoning: { type: 'string' }, arguments: tool.inputJsonSchema },
      required: ['reasoning', 'arguments'],
      additionalProperties: false,
    },
  };
}

function keysOf({ inputJsonSchema }: Tool): string[] {
  return Object.keys((inputJsonSchema.properties as object | undefined) ?? {});
}
