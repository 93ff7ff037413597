import { setTimeout as sleep } from 'node:timers/promises';
import type { Tool } from '../../tool.js';
import { McpServerUnavailable } from '../mcp-server.js';
import type { McpServers } from '../mcp-servers.js';

/** The tool as soon as its server is there. */
export async function foundTool(servers: McpServers, name: string): Promise<Tool> {
  for (;;) {
    try {
      return servers.tool(name);
    } catch (error) {
      if (!(error instanceof McpServerUnavailable)) throw error;
      await sleep(50);
    }
  }
}
