import type { PlanMistakeKind } from '../../../contracts/mistakes.js';
import type { Tool } from '../../tools/tool.js';

/** What a planner's text says: a call of one of the tools, or what is wrong with it, in words for the planner. */
export type Action =
  | { tool: string; subGoal: string; mistake?: undefined }
  | { tool?: undefined; mistake: string; mistakeKind: PlanMistakeKind };

/** A sub-goal is kept in workflow memory (I6) and read by every later prompt. */
export const MAX_SUB_GOAL = 1_000;

/** Reads the action `Tool: input` from the first line. Case and spaces do not matter. */
export function parseAction(text: string, tools: readonly Pick<Tool, 'name' | 'title'>[]): Action {
  const match = /^([\w-]+)\s*:\s*(\S.*)$/.exec(text.trim().split('\n')[0].trim());
  if (!match) return { mistake: 'not a line "Tool: input"', mistakeKind: 'unreadable_plan' };
  const [, title, subGoal] = match;
  const tool = tools.find((candidate) => candidate.title.toLowerCase() === title.toLowerCase());
  if (!tool) return { mistake: `no tool is called ${title.slice(0, 30)}`, mistakeKind: 'unknown_tool' };
  if (subGoal.length > MAX_SUB_GOAL) return { mistake: 'the input is too long', mistakeKind: 'long_sub_goal' };
  return { tool: tool.name, subGoal };
}
