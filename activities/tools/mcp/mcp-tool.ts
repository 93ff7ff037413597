import type { Tool as ListedTool } from '@modelcontextprotocol/sdk/types.js';
import { parserOf, textArgument } from '../json-schema-arguments.js';
import type { JsonSchema, Tool, ToolOutcome } from '../tool.js';

const DESCRIPTION_CHARACTERS = 500;
const MAX_NAME = 64;

export type McpCall = (tool: string, input: Record<string, unknown>, signal: AbortSignal) => Promise<ToolOutcome>;

/** The registered name of a server's tool: what a registered name cannot hold becomes `-`. */
export function registeredToolName(server: string, tool: string): string {
  return `${server}.${tool.toLowerCase().replaceAll(/[^a-z0-9._-]/g, '-')}`.slice(0, MAX_NAME);
}

/** A tool of a server as ours. @throws Error where its JSON schema makes no sense */
export function toTool(server: string, listed: ListedTool, timeoutMs: number, call: McpCall): Tool {
  const name = registeredToolName(server, listed.name);
  const inputJsonSchema: JsonSchema = listed.inputSchema;
  const tool: Tool<Record<string, unknown>> = {
    name,
    title: name.replaceAll('.', '_'),
    description: oneLine(listed.description ?? listed.title ?? listed.name),
    metadata: { limitations: [], bestPractices: [], demos: [] },
    inputJsonSchema,
    subGoalField: textArgument(inputJsonSchema),
    timeoutMs,
    parse: parserOf(inputJsonSchema),
    run: (input, { signal }) => call(listed.name, input, signal),
  };
  return tool;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= DESCRIPTION_CHARACTERS ? line : `${line.slice(0, DESCRIPTION_CHARACTERS - 1)}…`;
}
