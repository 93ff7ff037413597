import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mcpServersSection } from '../../../infra/config/operator/mcp-servers.js';
import { isOutage } from '../../failures/outage.js';
import { runTool } from '../run-tool.js';
import { LocalServer } from '../testing/local-server.js';
import { toolContext } from '../testing/tool-context.js';
import { McpServers } from './mcp-servers.js';
import { foundTool } from './testing/found-tool.js';

interface Message {
  id?: number;
  method: string;
  params?: { protocolVersion?: string };
}

/** What a server says to a request, or to one for a connection. */
type Answer = { status: number } | { error: { code: number; message: string } };

describe('MCP servers that refuse', () => {
  let server: LocalServer;
  let servers: McpServers;
  let toCall: Answer;
  let connections = 0;

  beforeAll(async () => {
    server = await LocalServer.start((incoming, outgoing) => {
      if (incoming.method !== 'POST') return void outgoing.writeHead(405).end();
      if (incoming.url === '/closed') return void outgoing.writeHead(401).end('no such key');
      const { id, method, params } = JSON.parse(server.requests.at(-1)!.body) as Message;
      if (id === undefined) return void outgoing.writeHead(202).end();
      if (method === 'initialize') connections += 1;
      const answers: Record<string, object> = {
        initialize: {
          protocolVersion: params?.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: 's', version: '0' },
        },
        'tools/list': {
          tools: [{ name: 'look', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } }],
        },
      };
      const said = method === 'tools/call' ? toCall : { result: answers[method] };
      if ('status' in said) return void outgoing.writeHead(said.status).end('no');
      outgoing
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id, ...said }));
    });
    const registered = mcpServersSection.parse({
      open: { url: `${server.url}/mcp` },
      closed: { url: `${server.url}/closed` },
    });
    servers = await McpServers.open(registered, () => undefined);
  });
  afterAll(async () => {
    await servers.close();
    await server.stop();
  });

  async function failureOf(answer: Answer): Promise<Error> {
    toCall = answer;
    const tool = await foundTool(servers, 'open.look');
    return runTool(tool, {}, toolContext()).then(
      (outcome) => Promise.reject(new Error(JSON.stringify(outcome))),
      (error: unknown) => error as Error,
    );
  }

  it.each<[string, Answer]>([
    ['401', { status: 401 }],
    ['403', { status: 403 }],
    ['422', { status: 422 }],
    ['an error of its own', { error: { code: -32050, message: 'quota of the day' } }],
    ['an internal error', { error: { code: -32603, message: 'cannot' } }],
  ])('I14: a call that is refused is no outage, says why, and costs no connection: %s', async (_, answer) => {
    await foundTool(servers, 'open.look');
    const before = connections;
    const error = await failureOf(answer);
    expect(error.message).toMatch(/^The MCP server open failed: .*(no|quota of the day|cannot)$/);
    expect([isOutage(error), error]).toEqual([false, error]);
    await foundTool(servers, 'open.look');
    expect(connections).toBe(before);
  });

  it.each([408, 409, 425, 429, 500, 503])('I14: status %i to a call is an outage', async (status) => {
    const error = await failureOf({ status });
    expect([isOutage(error), error]).toEqual([true, error]);
  });

  it('begins another session where its own is not known any more', async () => {
    await foundTool(servers, 'open.look');
    const before = connections;
    await failureOf({ status: 404 });
    await foundTool(servers, 'open.look');
    expect(connections).toBe(before + 1);
  });

  it('I14: a server that refuses to be connected is no outage, and the message says why and where to look', () => {
    const error = (() => {
      try {
        return servers.tool('closed.look');
      } catch (thrown) {
        return thrown as Error;
      }
    })() as Error;
    expect(error.message).toMatch(/The MCP server closed is not there: .*no such key.* look at `mcp_servers`/);
    expect(isOutage(error)).toBe(false);
  });
});
