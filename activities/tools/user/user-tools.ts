import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { registeredName } from '../../../infra/config/operator/registered-name.js';
import type { UserToolsSection } from '../../../infra/config/operator/user-tools.js';
import { readSecretVariables } from '../../../infra/config/secrets.js';
import { redactKnownIn } from '../../../infra/redaction/redact.js';
import { parserOf, textArgument } from '../json-schema-arguments.js';
import { mistake, ToolNotCalled, type Tool, type ToolOutcome } from '../tool.js';
import type { LoadedModule } from './user-process.js';
import { UserProcessPool } from './user-process-pool.js';

const MODULE = /\.(js|mjs|cjs)$/;
const DEFAULT_TIMEOUT_S = 60;
/** An attempt may have two runs of a call: the second one in a process of its own. */
const RUNS = 2;
/** For each of them to start and to be ended. */
const SPARE_MS = 20_000;
/** Less than an attempt of an activity. */
const MAX_ATTEMPT_MS = 870_000;

/** What a file of the operator's folder exports (docs/tools.md), as its process says it. */
const exportsSchema = z.object({
  name: registeredName.refine((name) => !name.includes('.'), 'must have no dot: dots are for MCP servers'),
  title: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be letters, digits, "_" and "-"')
    .optional(),
  description: z.string().regex(/^\S[^\n]{0,498}\S$/, 'must be one line of text'),
  schema: z.looseObject({ type: z.literal('object') }, 'must be a JSON schema of type object'),
  execute: z.literal('function', 'must be a function'),
  timeout_s: z.number().min(1).max(840).default(DEFAULT_TIMEOUT_S),
  repeatable: z.boolean().default(false),
  limitations: z.array(z.string()).default([]),
  best_practices: z.array(z.string()).default([]),
});

/** A file of the operator's folder is no tool. The message names the file and every reason. */
export class UserToolError extends Error {
  override readonly name = 'UserToolError';
}

export interface UserTools {
  tools: Tool[];
  /** Ends their processes. */
  close(): void;
}

/**
 * Every module of the directory as a tool, by name of file. They are the operator's code: trusted (I10), but not to be
 * without faults. They are loaded and run in processes of their own, which may end without harm to anything else.
 * @throws UserToolError, SecretError
 */
export async function openUserTools({ directory, env, ...limits }: UserToolsSection): Promise<UserTools> {
  const paths = (await modulesOf(directory)).map((file) => join(directory, file));
  const pool = new UserProcessPool(paths, limits, readSecretVariables(env));
  try {
    const modules = await pool.modules();
    return { tools: modules.map((module) => toTool(module, pool)), close: () => pool.close() };
  } catch (error) {
    pool.close();
    throw error instanceof ToolNotCalled ? new UserToolError(error.message) : error;
  }
}

async function modulesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((file) => MODULE.test(file)).sort();
  } catch (error) {
    throw new UserToolError(`${directory}: the directory of user_tools cannot be read: ${(error as Error).message}`);
  }
}

/** What it says of itself becomes part of prompts, rows and logs: it holds no key (I6). */
function toTool({ path, ...said }: LoadedModule, pool: UserProcessPool): Tool {
  const { failed, exported } = redactKnownIn(said);
  if (failed !== undefined) throw new UserToolError(`${path}: cannot be loaded: ${failed}`);
  const parsed = exportsSchema.safeParse(exported);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new UserToolError(`${path}: exports to correct:\n${lines.join('\n')}`);
  }
  try {
    return toolOf(path, parsed.data, pool);
  } catch (error) {
    throw new UserToolError(`${path}: schema: ${(error as Error).message}`);
  }
}

function toolOf(
  path: string,
  { name, title = name, description, schema, repeatable, ...rest }: z.infer<typeof exportsSchema>,
  pool: UserProcessPool,
): Tool {
  const timeoutMs = rest.timeout_s * 1_000;
  const tool: Tool<Record<string, unknown>> = {
    name,
    title,
    description,
    metadata: { limitations: rest.limitations, bestPractices: rest.best_practices, demos: [] },
    inputJsonSchema: schema,
    subGoalField: textArgument(schema),
    timeoutMs: Math.min(RUNS * (timeoutMs + SPARE_MS), MAX_ATTEMPT_MS),
    repeatable,
    parse: parserOf(schema),
    run: (input, { signal, seed }) =>
      outcomeOf(() => pool.run({ path, tool: name, input, seed, timeoutMs }, repeatable, signal)),
  };
  return tool;
}

/**
 * An error whose name is `ToolMistake` is the planner's to mend. One whose name is `ToolNotCalled` says that nothing was
 * done: the call is tried again. After any other the call is tried again if the tool is `repeatable`; else its outcome is
 * not known, and is remembered so.
 */
async function outcomeOf(run: () => Promise<ToolOutcome>): Promise<ToolOutcome> {
  try {
    return await run();
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'ToolMistake') return mistake('failed', message);
    if (name === 'ToolNotCalled') throw new ToolNotCalled(message);
    throw error;
  }
}
