import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import type { CallMistakeKind } from '../../../workflows/contracts/mistakes.js';
import { runTool } from '../../tools/run-tool.js';
import type { Tool, ToolContext } from '../../tools/tool.js';

export interface ToolRun {
  /** The tool's arguments as JSON. */
  command: string;
  /** As the tool gave it, not cut for memory. Empty with a mistake. */
  result: string;
  mistake?: string;
  mistakeKind?: CallMistakeKind;
}

/** What an executor wrote: arguments for the tool to check, or what is wrong with its reply. */
export type Written = { arguments: unknown; mistake?: undefined } | { mistake: string; text: string };

export async function runCommand(tool: Tool, written: Written, context: ToolContext): Promise<ToolRun> {
  if (written.mistake !== undefined) {
    return { command: written.text, result: '', mistake: written.mistake, mistakeKind: 'unreadable_arguments' };
  }
  const outcome = await runTool(tool, written.arguments, context);
  const command = canonicalJson(written.arguments);
  if (outcome.mistake === undefined) return { command, result: outcome.result };
  return { command, result: '', mistake: outcome.mistake, mistakeKind: outcome.kind };
}
