import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { McpServers } from './mcp/mcp-servers.js';
import { InterpreterPool } from './python-coder/interpreter-pool.js';
import { createPythonCoderTool } from './python-coder/python-coder.tool.js';
import { openPassages } from './passages/open-passages.js';
import type { Tool } from './tool.js';
import type { ToolSource } from './tool-registry.js';
import { openUserTools } from './user/user-tools.js';

const PYTHON_CODER = 'python_coder';
const PASSAGES = 'passages';

/** The tools that hold processes, connections or code of the operator. */
export interface OperatorTools {
  tools: readonly Tool[];
  sources: readonly ToolSource[];
  /** Ends the processes and connections. */
  close(): Promise<void>;
}

/**
 * Opens what the operator's file registers: the Python sandbox, the index of passages, MCP servers, user tools.
 * @param cache where set-up put the sandbox (AGENTFLOW_CACHE)
 * @param warn told whenever an MCP server is lost or not found, and of tools of its that cannot be used
 * @throws UserToolError, SecretError, PassageIndexUnusable; Error where the sandbox is not set up
 */
export async function openOperatorTools(
  operator: Pick<OperatorFile, 'tools' | 'python' | 'mcp_servers' | 'user_tools' | 'passages' | 'embeddings'>,
  cache: string,
  warn: (error: Error) => void,
): Promise<OperatorTools> {
  const userTools = operator.user_tools && (await openUserTools(operator.user_tools));
  const passages = operator.tools.includes(PASSAGES) ? await openPassages(operator) : undefined;
  const pool = operator.tools.includes(PYTHON_CODER) ? openPool(operator.python, cache) : undefined;
  const servers = await McpServers.open(operator.mcp_servers, warn);
  return {
    tools: [
      ...(pool ? [createPythonCoderTool(pool, operator.python)] : []),
      ...(passages ? [passages.tool] : []),
      ...(userTools?.tools ?? []),
    ],
    sources: [servers],
    close: async () => {
      pool?.close();
      userTools?.close();
      passages?.close();
      await servers.close();
    },
  };
}

function openPool(limits: OperatorFile['python'], cache: string): InterpreterPool {
  const libraries = join(cache, 'python-sandbox');
  if (existsSync(join(libraries, 'snapshot.bin'))) return new InterpreterPool(limits, libraries);
  throw new Error(
    `The operator's file registers ${PYTHON_CODER}, and its sandbox is not in ${libraries}. Run \`npm run setup\`.`,
  );
}
