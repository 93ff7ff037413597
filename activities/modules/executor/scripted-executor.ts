import type { Tool } from '../../tools/tool.js';
import { asWritten } from './read-arguments.js';
import type { Written } from './run-command.js';

/** The scripted executor: the sub-goal, as it stands, becomes the tool's one argument in words, or all of them. */
export function scriptedArguments({ subGoalField }: Tool, subGoal: string): Written {
  if (subGoalField !== undefined) return { arguments: { [subGoalField]: subGoal }, text: subGoal };
  try {
    return asWritten(JSON.parse(subGoal), subGoal);
  } catch {
    return { arguments: subGoal, text: subGoal };
  }
}
