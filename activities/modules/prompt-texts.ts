import type { Analysis, MemoryEntry } from '../../contracts/flow.js';
import type { MistakeKind } from '../../contracts/mistakes.js';
import type { Tool } from '../tools/tool.js';

/*
 * How the parts of a full prompt are written: what the templates' {{tools}}, {{analysis}} and {{memory}} stand for.
 */

type Remembered = Pick<MemoryEntry, 'turn' | 'tool' | 'subGoal' | 'command' | 'result' | 'mistake' | 'mistakeKind'> &
  Partial<Pick<MemoryEntry, 'verdict' | 'critique'>>;

/** Each tool with what it is good for and what it is not. */
export function describeTools(tools: readonly Tool[]): string {
  return tools.map((tool) => `- ${tool.title}: ${tool.description}${indent(notesOf(tool))}`).join('\n');
}

/** Limits, advice and examples of a tool, a line each. */
export function notesOf({ metadata }: Tool): string {
  const { limitations, bestPractices, demos } = metadata;
  return [
    ...limitations.map((text) => `Limit: ${text}`),
    ...bestPractices.map((text) => `Advice: ${text}`),
    ...demos.map(({ purpose, arguments: input }) => `Example: ${purpose}: ${JSON.stringify(input)}`),
  ].join('\n');
}

export function describeAnalysis({ summary, skills, tools, considerations }: Analysis): string {
  const parts = [summary, labelled('Skills', skills), labelled('Tools', tools), labelled('Mind', considerations)];
  return parts.filter(Boolean).join('\n') || 'none';
}

/** Every turn with what was done, what came of it and what the verifier said. */
export function describeMemory(memory: readonly Remembered[], tools: readonly Pick<Tool, 'name' | 'title'>[]): string {
  return memory.map((entry) => describeTurn(entry, tools)).join('\n\n') || 'none yet';
}

function describeTurn(entry: Remembered, tools: readonly Pick<Tool, 'name' | 'title'>[]): string {
  const { turn, tool, subGoal, command, result, mistake, mistakeKind, verdict, critique } = entry;
  const title = tools.find(({ name }) => name === tool)?.title ?? tool ?? 'none: the plan was not usable';
  return [
    `Turn ${turn}`,
    `Tool: ${title}`,
    labelled('Sub-goal', subGoal),
    labelled('Command', command),
    mistake === undefined ? labelled('Result', result) : `${errorTitle(mistakeKind)}: ${mistake}`,
    verdict && `Verifier: ${verdict}. ${critique ?? ''}`,
  ]
    .filter(Boolean)
    .join('\n');
}

function errorTitle(kind?: MistakeKind): string {
  return kind === undefined ? 'Error' : `Error (${kind.replaceAll('_', ' ')})`;
}

function labelled(label: string, text = ''): string {
  return text === '' ? '' : `${label}: ${text}`;
}

function indent(text: string): string {
  return text === '' ? '' : `\n${text}`.replaceAll('\n', '\n  ');
}
