import type { Tool as ListedTool } from '@modelcontextprotocol/sdk/types.js';
import type { McpServerRegistration } from '../../../infra/config/operator/mcp-servers.js';
import { misfitOf, parserOf, textArgument } from '../json-schema-arguments.js';
import type { JsonSchema, Tool, ToolOutcome } from '../tool.js';

const DESCRIPTION_CHARACTERS = 500;
const MAX_NAME = 64;

/** Calls a tool of a server; `misfit` says what of its structured content its own schema does not accept. */
export type McpCall = (
  tool: string,
  input: Record<string, unknown>,
  misfit: (structured: unknown) => string | undefined,
  signal: AbortSignal,
) => Promise<ToolOutcome>;

/** The registered name of a server's tool: what a registered name cannot hold becomes `-`. */
export function registeredToolName(server: string, tool: string): string {
  return `${server}.${tool.toLowerCase().replaceAll(/[^a-z0-9._-]/g, '-')}`.slice(0, MAX_NAME);
}

/** A tool of a server as ours. @throws Error where its JSON schema makes no sense */
export function toTool(
  server: string,
  listed: ListedTool,
  { timeout_s, repeatable }: Pick<McpServerRegistration, 'timeout_s' | 'repeatable'>,
  call: McpCall,
): Tool {
  const name = registeredToolName(server, listed.name);
  const inputJsonSchema: JsonSchema = listed.inputSchema;
  const misfit = misfitOfResult(listed.outputSchema);
  const tool: Tool<Record<string, unknown>> = {
    name,
    title: name.replaceAll('.', '_'),
    description: oneLine(listed.description ?? listed.title ?? listed.name),
    metadata: { limitations: [], bestPractices: [], demos: [] },
    inputJsonSchema,
    subGoalField: textArgument(inputJsonSchema),
    timeoutMs: timeout_s * 1_000,
    repeatable: repeatable?.includes(listed.name) ?? saysRepeatable(listed),
    parse: parserOf(inputJsonSchema),
    run: (input, { signal }) => call(listed.name, input, misfit, signal),
  };
  return tool;
}

/** A schema of results that makes no sense is none: the tool can be used without. */
function misfitOfResult(schema: JsonSchema | undefined): (structured: unknown) => string | undefined {
  try {
    return misfitOf(schema ?? {}, 'it');
  } catch {
    return () => undefined;
  }
}

/** The server's own word, which is trusted as the server is: without one, a call may change something each time. */
function saysRepeatable({ annotations }: ListedTool): boolean {
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= DESCRIPTION_CHARACTERS ? line : `${line.slice(0, DESCRIPTION_CHARACTERS - 1)}…`;
}
