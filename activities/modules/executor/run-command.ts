import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { runTool } from '../../tools/run-tool.js';
import type { Tool, ToolContext } from '../../tools/tool.js';

export interface ToolRun {
  /** The tool's arguments as JSON. */
  command: string;
  /** As the tool gave it, not cut for memory. Empty with a mistake. */
  result: string;
  mistake?: string;
}

/** What an executor wrote: arguments for the tool to check, or what is wrong with its reply. */
export type Written = { arguments: unknown; mistake?: undefined } | { mistake: string; text: string };

export async function runCommand(tool: Tool, written: Written, context: ToolContext): Promise<ToolRun> {
  if (written.mistake !== undefined) return { command: written.text, result: '', mistake: written.mistake };
  const { result = '', mistake } = await runTool(tool, written.arguments, context);
  return { command: canonicalJson(written.arguments), result, ...(mistake !== undefined && { mistake }) };
}
