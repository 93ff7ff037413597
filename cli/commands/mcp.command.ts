import { once } from 'node:events';
import type { Command } from 'commander';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { CliContext } from '../context.js';
import { createMcpServer } from '../mcp/create-server.js';

export function registerMcp(program: Command, context: CliContext): void {
  program
    .command('mcp')
    .description('Serve an assistant as an MCP server on standard input and output: docs/mcp.md.')
    .action(async () => {
      const server = createMcpServer(context.client);
      const gone = once(process.stdin, 'end'); // an assistant that dies says nothing else
      await server.connect(new StdioServerTransport());
      await gone;
      await server.close();
    });
}
