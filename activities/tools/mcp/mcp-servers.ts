import type { McpServerRegistration } from '../../../infra/config/operator/mcp-servers.js';
import type { Tool } from '../tool.js';
import type { ToolSource } from '../tool-registry.js';
import { McpServer } from './mcp-server.js';

/** The MCP servers that the operator registered, as a source of tools named `<server>.<tool>`. */
export class McpServers implements ToolSource {
  private constructor(private readonly servers: ReadonlyMap<string, McpServer>) {}

  /**
   * Connects to all of them at once. One that is not there is tried again in the background, and its tools are an outage
   * meanwhile.
   * @param warn told whenever a server is lost or not found, and of tools that cannot be used
   * @throws SecretError
   */
  static async open(
    registrations: Record<string, McpServerRegistration>,
    warn: (error: Error) => void,
  ): Promise<McpServers> {
    const servers = Object.entries(registrations).map(([name, registration]): [string, McpServer] => [
      name,
      new McpServer(name, registration, warn),
    ]);
    await Promise.all(servers.map(([, server]) => server.open()));
    return new McpServers(new Map(servers));
  }

  owns(name: string): boolean {
    return this.servers.has(serverOf(name));
  }

  tool(name: string): Tool {
    return this.servers.get(serverOf(name))!.tool(name);
  }

  async close(): Promise<void> {
    await Promise.all([...this.servers.values()].map((server) => server.close()));
  }
}

function serverOf(name: string): string {
  return name.slice(0, Math.max(name.indexOf('.'), 0));
}
