import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OperatorFile } from '../../infra/config/operator-file.js';
import { McpServers } from './mcp/mcp-servers.js';
import { InterpreterPool } from './python-coder/interpreter-pool.js';
import { createPythonCoderTool } from './python-coder/python-coder.tool.js';
import type { Tool } from './tool.js';
import type { ToolSource } from './tool-registry.js';
import { loadUserTools } from './user/load-user-tools.js';

const PYTHON_CODER = 'python_coder';

/** The tools that hold processes, connections or code of the operator. */
export interface OperatorTools {
  tools: readonly Tool[];
  sources: readonly ToolSource[];
  /** Ends the processes and connections. */
  close(): Promise<void>;
}

/**
 * Opens what the operator's file registers: the Python sandbox, MCP servers, user tools.
 * @param cache where set-up put the sandbox (AGENTFLOW_CACHE)
 * @param onLost told whenever an MCP server is lost or not found
 * @throws UserToolError, SecretError; Error where the sandbox is not set up
 */
export async function openOperatorTools(
  operator: Pick<OperatorFile, 'tools' | 'python' | 'mcp_servers' | 'user_tools'>,
  cache: string,
  onLost: (error: Error) => void,
): Promise<OperatorTools> {
  const userTools = operator.user_tools ? await loadUserTools(operator.user_tools.directory) : [];
  const pool = operator.tools.includes(PYTHON_CODER) ? openPool(operator.python, cache) : undefined;
  const servers = await McpServers.open(operator.mcp_servers, onLost);
  return {
    tools: [...(pool ? [createPythonCoderTool(pool, operator.python)] : []), ...userTools],
    sources: [servers],
    close: async () => {
      pool?.close();
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
