import type { FinishReason } from '../../../contracts/agent-activities.js';
import { cutText } from '../../text/cut-text.js';
import type { Tool } from '../../tools/tool.js';
import { textParts } from '../module-prompts.js';
import { partsIn } from '../reply/parts.js';
import { MAX_SUB_GOAL, type Action } from './parse-action.js';

const LABELS = {
  justification: ['Justification'],
  context: ['Context'],
  subGoal: ['Sub-Goal'],
  tool: ['Tool', 'Tool Name'],
};

/** The form of the reply for models that can be held to it. */
export const STEP_FORM = textParts('next_step', ['justification', 'context', 'sub_goal', 'tool']);

export type Step = Action & { justification?: string; context?: string };

/** Reads the reply to a full planner prompt, JSON or labelled parts, or says in words for the planner what is wrong. */
export function parseStep(
  text: string,
  finishReason: FinishReason,
  tools: readonly Pick<Tool, 'name' | 'title'>[],
): Step {
  const { justification, context, subGoal, tool: title } = partsIn(text, LABELS, ['subGoal', 'tool']);
  const thoughts = {
    ...(justification && { justification: cutText(justification, 2048) }),
    ...(context && { context: cutText(context, 4096) }),
  };
  if (!title || !subGoal) {
    const mistake = `${missing(title)} is missing${WHY[finishReason] ?? ''}`;
    return { ...thoughts, mistake, mistakeKind: 'unreadable_plan' };
  }
  const tool = tools.find((candidate) => namesOf(candidate).includes(plain(title)));
  if (!tool) {
    return { ...thoughts, mistake: `no tool is called ${title.slice(0, 60)}`, mistakeKind: 'unknown_tool' };
  }
  if (subGoal.length > MAX_SUB_GOAL) {
    return { ...thoughts, mistake: 'the sub-goal is too long', mistakeKind: 'long_sub_goal' };
  }
  return { ...thoughts, tool: tool.name, subGoal };
}

const WHY: Partial<Record<FinishReason, string>> = {
  length: ': the reply was cut off at the token limit',
  refused: ': the model would not answer',
};

function missing(title: string | undefined): string {
  return title ? 'the part "Sub-Goal" of the plan' : 'the part "Tool" of the plan';
}

/** Spaces, underscores, quotes, a closing full stop and case do not matter. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

function namesOf({ name, title }: Pick<Tool, 'name' | 'title'>): string[] {
  return [plain(title), plain(name)];
}
