import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { runTool } from '../../tools/run-tool.js';
import type { Tool, ToolContext } from '../../tools/tool.js';

export interface ToolRun {
  /** The tool's input as JSON. */
  command: string;
  /** As the tool gave it, not cut. Empty with a mistake. */
  result: string;
  mistake?: string;
}

/** The scripted executor: the sub-goal, as it stands, becomes the tool's one argument in words, or all of them. */
export async function executeSubGoal(tool: Tool, subGoal: string, context: ToolContext): Promise<ToolRun> {
  const input = argumentsOf(tool, subGoal);
  const { result = '', mistake } = await runTool(tool, input, context);
  return { command: canonicalJson(input), result, ...(mistake !== undefined && { mistake }) };
}

function argumentsOf({ subGoalField }: Tool, subGoal: string): unknown {
  if (subGoalField !== undefined) return { [subGoalField]: subGoal };
  try {
    return JSON.parse(subGoal);
  } catch {
    return subGoal;
  }
}
