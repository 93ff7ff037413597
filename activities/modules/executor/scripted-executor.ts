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

/** The scripted executor: the sub-goal, as it stands, becomes the tool's one input in words. */
export async function executeSubGoal(tool: Tool, subGoal: string, context: ToolContext): Promise<ToolRun> {
  const input = { [tool.subGoalField]: subGoal };
  const { result = '', mistake } = await runTool(tool, input, context);
  return { command: canonicalJson(input), result, ...(mistake !== undefined && { mistake }) };
}
