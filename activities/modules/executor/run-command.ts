import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import type { CallMistakeKind } from '../../../contracts/mistakes.js';
import { cutText } from '../../text/cut-text.js';
import { flawInValue } from '../../text/json-flaws.js';
import { callTool, RESULT_BYTES, type CallNote } from '../../tools/run-tool.js';
import type { Mistake, Tool, ToolContext } from '../../tools/tool.js';

export interface ToolRun {
  /** The tool's arguments as JSON, or as the executor wrote what could not be read or taken. */
  command: string;
  /** As the tool gave it, not cut for memory. Empty with a mistake. */
  result: string;
  mistake?: string;
  mistakeKind?: CallMistakeKind;
  /** Why the outcome of a call is not known: for the operator, never for a prompt. */
  reason?: string;
}

/** What an executor wrote: arguments for the tool to check, or what is wrong with its reply. */
export type Written =
  { arguments: unknown; text: string; mistake?: undefined } | { mistake: string; kind: CallMistakeKind; text: string };

export async function runCommand(tool: Tool, written: Written, context: ToolContext, note: CallNote): Promise<ToolRun> {
  const text = cutText(written.text, RESULT_BYTES);
  if (written.mistake !== undefined) {
    return { command: text, result: '', mistake: written.mistake, mistakeKind: written.kind };
  }
  const outcome = await callTool(tool, written.arguments, context, note);
  const command = flawInValue(written.arguments) === undefined ? canonicalJson(written.arguments) : text;
  if (outcome.mistake === undefined) return { command, result: outcome.result };
  return { command, result: '', ...failed(outcome) };
}

function failed({ mistake, kind, reason }: Mistake & { reason?: string }): Omit<ToolRun, 'command' | 'result'> {
  return { mistake, mistakeKind: kind, ...(reason !== undefined && { reason }) };
}
