import type { Tool } from '../../tools/tool.js';
import type { Written } from './run-command.js';

/** The scripted executor: the sub-goal, as it stands, becomes the tool's one argument in words, or all of them. */
export function scriptedArguments({ subGoalField }: Tool, subGoal: string): Written {
  if (subGoalField !== undefined) return { arguments: { [subGoalField]: subGoal } };
  try {
    return { arguments: JSON.parse(subGoal) as unknown };
  } catch {
    return { arguments: subGoal };
  }
}
