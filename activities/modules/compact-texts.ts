import type { MemoryEntry } from '../../contracts/flow.js';
import type { Tool } from '../tools/tool.js';

/*
 * How the parts of a compact prompt are written, for small models.
 */

export type PromptTool = Pick<Tool, 'name' | 'title' | 'description'>;
export type PromptMemory = Pick<MemoryEntry, 'tool' | 'subGoal' | 'result' | 'mistake'>;

/** A line for each tool. */
export function toolLines(tools: readonly PromptTool[]): string {
  return tools.map(({ title, description }) => `- ${title}: ${description}`).join('\n');
}

/** All turns on one line. */
export function memoryLine(memory: readonly PromptMemory[], tools: readonly PromptTool[]): string {
  return memory.map((entry) => resultText(tools, entry)).join('; ') || 'none';
}

function resultText(tools: readonly PromptTool[], { tool, subGoal, result, mistake }: PromptMemory): string {
  const outcome = mistake === undefined ? result : `error, ${mistake}`;
  return tool === undefined ? `no call -> ${outcome}` : `${titleOf(tools, tool)}: ${subGoal} -> ${outcome}`;
}

function titleOf(tools: readonly PromptTool[], name: string): string {
  return tools.find((tool) => tool.name === name)?.title ?? name;
}
