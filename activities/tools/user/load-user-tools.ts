import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { registeredName } from '../../../infra/config/operator/registered-name.js';
import { parserOf, textArgument } from '../json-schema-arguments.js';
import { mistake, type Tool, type ToolOutcome } from '../tool.js';

const MODULE = /\.(js|mjs|cjs)$/;
const DEFAULT_TIMEOUT_S = 60;

/** What a file of the operator's folder exports (docs/tools.md). */
const exportsSchema = z.object({
  name: registeredName.refine((name) => !name.includes('.'), 'must have no dot: dots are for MCP servers'),
  title: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be letters, digits, "_" and "-"')
    .optional(),
  description: z.string().regex(/^\S[^\n]{0,498}\S$/, 'must be one line of text'),
  schema: z.looseObject({ type: z.literal('object') }, 'must be a JSON schema of type object'),
  execute: z.custom<UserExecute>((value) => typeof value === 'function', 'must be a function'),
  timeout_s: z.number().min(1).max(840).default(DEFAULT_TIMEOUT_S),
  limitations: z.array(z.string()).default([]),
  best_practices: z.array(z.string()).default([]),
});

export interface UserToolContext {
  /** Aborted at the timeout and when the flow is cancelled. */
  signal: AbortSignal;
  /** Unsigned 64-bit decimal; equal for every attempt of the same turn. */
  seed: string;
}

/**
 * Returns text, or a value that is shown as JSON. An error whose name is `ToolMistake` is the planner's to mend; any
 * other is an outage, and the call is tried again.
 */
export type UserExecute = (input: Record<string, unknown>, context: UserToolContext) => unknown;

/** A file of the operator's folder is no tool. The message names the file and every reason. */
export class UserToolError extends Error {
  override readonly name = 'UserToolError';
}

/** Every module of the directory as a tool, by name of file. They are the operator's code: trusted (I10). @throws UserToolError */
export async function loadUserTools(directory: string): Promise<Tool[]> {
  const tools: Tool[] = [];
  for (const file of await modulesOf(directory)) tools.push(await loadTool(join(directory, file)));
  return tools;
}

async function modulesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((file) => MODULE.test(file)).sort();
  } catch (error) {
    throw new UserToolError(`${directory}: the directory of user_tools cannot be read: ${(error as Error).message}`);
  }
}

async function loadTool(path: string): Promise<Tool> {
  const parsed = exportsSchema.safeParse({ ...(await importModule(path)) });
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new UserToolError(`${path}: exports to correct:\n${lines.join('\n')}`);
  }
  try {
    return toTool(parsed.data);
  } catch (error) {
    throw new UserToolError(`${path}: schema: ${(error as Error).message}`);
  }
}

async function importModule(path: string): Promise<object> {
  try {
    return (await import(pathToFileURL(path).href)) as object;
  } catch (error) {
    throw new UserToolError(`${path}: cannot be loaded: ${String(error)}`, { cause: error });
  }
}

function toTool({ name, title, description, schema, execute, ...rest }: z.infer<typeof exportsSchema>): Tool {
  const tool: Tool<Record<string, unknown>> = {
    name,
    title: title ?? name,
    description,
    metadata: { limitations: rest.limitations, bestPractices: rest.best_practices, demos: [] },
    inputJsonSchema: schema,
    subGoalField: textArgument(schema),
    timeoutMs: rest.timeout_s * 1_000,
    parse: parserOf(schema),
    run: async (input, { signal, seed }) => outcomeOf(() => execute(input, { signal, seed })),
  };
  return tool;
}

async function outcomeOf(execute: () => unknown): Promise<ToolOutcome> {
  try {
    const value = await execute();
    return { result: typeof value === 'string' ? value : (JSON.stringify(value) ?? 'done') };
  } catch (error) {
    if (error instanceof Error && error.name === 'ToolMistake') return mistake('failed', error.message);
    throw error;
  }
}
