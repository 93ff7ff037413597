import { canonicalJson } from '../../../infra/artifacts/canonical-json.js';
import { sha256Hex } from '../../../infra/artifacts/sha256.js';
import type { MemoryEntry } from '../../../workflows/contracts/flow.js';
import type { ChatMessage } from '../../engines/chat.js';
import type { Tool } from '../../tools/tool.js';

/*
 * All wording of the compact planner prompt, for small models: the action is one line `Tool: input`.
 * What every planner call shares comes first, then what a group shares, then the turns left and the memory, so that
 * prefixes are computed once (design 8).
 */

export type PromptTool = Pick<Tool, 'name' | 'title' | 'description'>;
export type PromptMemory = Pick<MemoryEntry, 'tool' | 'subGoal' | 'result' | 'mistake'>;

const INSTRUCTION = 'You choose the next tool call.';

/** The places are real ones, so that they are never those of the atlas. */
const EXAMPLES: { question: string; memory: PromptMemory[]; turnsLeft: number; call: [tool: string, input: string] }[] =
  [
    { question: 'What is the height of Oslo?', memory: [], turnsLeft: 2, call: ['lookup', 'height of Oslo'] },
    { question: 'What is 12 times 7?', memory: [], turnsLeft: 2, call: ['calculator', '12 * 7'] },
    { question: 'What is the area of Rome plus 5?', memory: [], turnsLeft: 2, call: ['lookup', 'area of Rome'] },
    { question: 'What is 41 minus 8?', memory: [], turnsLeft: 2, call: ['calculator', '41 - 8'] },
    {
      question: 'What is the height of Oslo minus 9?',
      memory: [{ tool: 'lookup', subGoal: 'height of Oslo', result: 'The height of Oslo is 23.' }],
      turnsLeft: 1,
      call: ['calculator', '23 - 9'],
    },
  ];

/** The messages of one planner call, a pure function of what the planner sees. */
export function compactPrompt(
  question: string,
  tools: readonly PromptTool[],
  memory: readonly PromptMemory[],
  turnsLeft: number,
): ChatMessage[] {
  const offered = EXAMPLES.filter(({ call }) => tools.some(({ name }) => name === call[0]));
  return [
    { role: 'system', content: systemText(tools) },
    ...offered.flatMap((example): ChatMessage[] => [
      { role: 'user', content: situation(example.question, tools, example.memory, example.turnsLeft) },
      { role: 'assistant', content: `${titleOf(tools, example.call[0])}: ${example.call[1]}` },
    ]),
    { role: 'user', content: situation(question, tools, memory, turnsLeft) },
  ];
}

/** Identity of the prompt (I8): changes with every change of wording, of the worked examples or of a tool's text. */
export function promptIdentity(tools: readonly PromptTool[]): string {
  const memory: PromptMemory[] = [
    { tool: tools[0].name, subGoal: 'sub-goal', result: 'result' },
    { tool: tools[0].name, subGoal: 'sub-goal', mistake: 'mistake' },
    { mistake: 'mistake' },
  ];
  return sha256Hex(
    canonicalJson([compactPrompt('question', tools, [], 2), compactPrompt('question', tools, memory, 1)]),
  );
}

function systemText(tools: readonly PromptTool[]): string {
  return [INSTRUCTION, 'Tools:', ...tools.map(({ title, description }) => `- ${title}: ${description}`)].join('\n');
}

function situation(
  question: string,
  tools: readonly PromptTool[],
  memory: readonly PromptMemory[],
  turnsLeft: number,
): string {
  const results = memory.map((entry) => resultText(tools, entry)).join('; ') || 'none';
  return `Question: ${question}\nResults (${turnsLeft} left): ${results}`;
}

function resultText(tools: readonly PromptTool[], { tool, subGoal, result, mistake }: PromptMemory): string {
  const outcome = mistake === undefined ? result : `error, ${mistake}`;
  return tool === undefined ? `no call -> ${outcome}` : `${titleOf(tools, tool)}: ${subGoal} -> ${outcome}`;
}

function titleOf(tools: readonly PromptTool[], name: string): string {
  return tools.find((tool) => tool.name === name)?.title ?? name;
}
