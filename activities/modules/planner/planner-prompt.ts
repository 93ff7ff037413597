import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import type { PlanTurnInput } from '../../../contracts/agent-activities.js';
import type { ChatMessage } from '../../engines/chat.js';
import type { Tool } from '../../tools/tool.js';
import { memoryLine, toolLines, type PromptMemory, type PromptTool } from '../compact-texts.js';
import { describeAnalysis, describeMemory, describeTools } from '../prompt-texts.js';
import { PromptTemplate, type ReplyStyle } from '../prompt-template.js';
import { sampleFlow } from '../sample-flow.js';

/*
 * What every planner call shares comes first, then what a group shares, then the turns left and the memory, so that
 * prefixes are computed once (docs/gradient-step.md).
 */

export const PLANNER_TEMPLATES = {
  compact: PromptTemplate.read(new URL('./prompts/compact.txt', import.meta.url)),
  full: PromptTemplate.read(new URL('./prompts/full.txt', import.meta.url)),
};

type Seen = Pick<PlanTurnInput, 'query' | 'analysis' | 'memory' | 'turnsLeft'>;

/** For small models: the action is one line `Tool: input`. A pure function of what the planner sees. */
export function compactPrompt(
  question: string,
  tools: readonly PromptTool[],
  memory: readonly PromptMemory[],
  turnsLeft: number,
): ChatMessage[] {
  return PLANNER_TEMPLATES.compact.render(
    { question, tools: toolLines(tools), memory: memoryLine(memory, tools), turns_left: String(turnsLeft) },
    { tools: tools.map(({ name }) => name) },
  );
}

/** With analysis, tool notes and the verifier's critique; the action has a justification, context, sub-goal and tool. */
export function fullPrompt(
  { query, analysis, memory, turnsLeft }: Seen,
  tools: readonly Tool[],
  style: ReplyStyle,
): ChatMessage[] {
  return PLANNER_TEMPLATES.full.render(
    {
      question: query.question,
      tools: describeTools(tools),
      analysis: describeAnalysis(analysis),
      memory: describeMemory(memory, tools),
      turns_left: String(turnsLeft),
    },
    { style },
  );
}

/** Identity of the prompt (I8): changes with every change of wording, of the worked examples or of a tool's text. */
export function promptIdentity(tools: readonly Tool[], prompt: keyof typeof PLANNER_TEMPLATES): string {
  if (prompt === 'full') {
    const seen = { ...sampleFlow(tools), turnsLeft: 1 };
    return sha256Hex(canonicalJson([fullPrompt(seen, tools, 'text'), fullPrompt(seen, tools, 'json')]));
  }
  const memory: PromptMemory[] = [
    { tool: tools[0].name, subGoal: 'sub-goal', result: 'result' },
    { tool: tools[0].name, subGoal: 'sub-goal', mistake: 'mistake' },
    { mistake: 'mistake' },
  ];
  return sha256Hex(
    canonicalJson([compactPrompt('question', tools, [], 2), compactPrompt('question', tools, memory, 1)]),
  );
}
