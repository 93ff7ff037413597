import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { rememberSecret } from '../../../infra/config/secrets.js';
import type { McpCall } from './mcp-tool.js';
import { toTool } from './mcp-tool.js';
import { listTools } from './list-tools.js';

const KEY = 'marked-key-of-a-server';
const LONG = 'a'.repeat(90);
const inputSchema = { type: 'object' };
const TOOLS = [
  { name: 'fine', inputSchema },
  { name: `named-${KEY}`, inputSchema },
  { name: `Named-${Buffer.from(KEY).toString('hex')}`, inputSchema },
  { name: `${LONG}${KEY}` },
  { name: 'mistaken', inputSchema: { type: 'object', properties: { [KEY]: 7 } } },
];

const notCalled: McpCall = () => Promise.reject(new Error('called'));

describe(listTools, () => {
  const client = new Client({ name: 'test', version: '0' });
  const warnings: string[] = [];
  let names: string[];

  beforeAll(async () => {
    rememberSecret(KEY);
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    theirs.onmessage = (message) => {
      if (!('id' in message) || !('method' in message)) return;
      const { protocolVersion } = (message.params ?? {}) as { protocolVersion?: string };
      const initialized = { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 's', version: '0' } };
      const result = message.method === 'initialize' ? initialized : { tools: TOOLS };
      void theirs.send({ jsonrpc: '2.0', id: message.id, result });
    };
    await Promise.all([client.connect(ours), theirs.start()]);
    const tools = await listTools(client, 'server', {
      timeoutMs: 60_000,
      warn: (error) => void warnings.push(error.message),
      make: (listed) => toTool('server', listed, { timeout_s: 1 }, notCalled),
    });
    names = [...tools.keys()];
  });
  afterAll(() => client.close());

  it('I6: takes no tool whose name holds a key: a name is in prompts and messages, cut and in lower case', () => {
    expect(names).toEqual(['server.fine']);
    const said = (name: string) =>
      `The MCP server server lists a tool ${name} whose name holds a key: it cannot be used.`;
    expect(warnings).toEqual(expect.arrayContaining([said('named-***'), said('Named-***')]));
  });

  it('I6: says no key, and no half of one, in words about a tool that is none', () => {
    const lists = 'The MCP server server lists a tool';
    expect(warnings).toContainEqual(expect.stringMatching(`^${lists} ${LONG}\\*{3} that is none: inputSchema: `));
    expect(warnings).toContainEqual(expect.stringMatching(`^${lists} mistaken that is none: .*properties.\\*{3}: `));
    expect(warnings.join()).not.toContain('marked');
  });
});
