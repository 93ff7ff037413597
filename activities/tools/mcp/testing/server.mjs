// A real MCP server for the tests. `server.mjs stdio`, or `server.mjs http <port> <key>`: that one prints the port.
// `server.mjs stubborn` is one on pipes that stays when its client has gone, as many do.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const text = (words) => ({ content: [{ type: 'text', text: words }] });

function makeServer() {
  const server = new McpServer({ name: 'test', version: '1.0.0' });
  server.registerTool(
    'echo',
    {
      description: 'says it\n  again',
      inputSchema: { text: z.string().max(200_000) },
      annotations: { readOnlyHint: true },
    },
    async ({ text: words }) => text(words),
  );
  server.registerTool(
    'Add_Numbers',
    { description: 'adds', inputSchema: { a: z.int(), b: z.int().min(0).optional() } },
    async ({ a, b = 1 }) => text(String(a + b)),
  );
  server.registerTool('fail', { description: 'fails' }, async () => ({ ...text('no such file'), isError: true }));
  server.registerTool('throw', { description: 'throws' }, async () => {
    throw new Error('thrown inside');
  });
  server.registerTool('hang', { description: 'hangs' }, async (extra) => {
    extra.signal.addEventListener('abort', () => console.error('hang was cancelled'));
    return new Promise(() => undefined);
  });
  server.registerTool('die', { description: 'ends the server' }, async () => process.exit(3));
  server.registerTool('flood', { description: 'floods' }, async () => text('x'.repeat(1_000_000)));
  server.registerTool('environment', { description: 'names its environment' }, async () =>
    text(Object.keys(process.env).sort().join(' ')),
  );
  server.registerTool('picture', { description: 'an image' }, async () => ({
    content: [{ type: 'image', mimeType: 'image/png', data: 'AAAA' }],
  }));
  const given = process.env.MCP_KEY ?? key;
  const encoded = Buffer.from(`x${given}`).toString('base64');
  server.registerTool('leak', { description: `repeats ${given}`, title: given }, async () => {
    // In pieces, as a pipe may deliver it.
    for (const piece of [`debug ${given.slice(0, 5)}`, `${given.slice(5)}\n`, `${encoded}\n`]) {
      process.stderr.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return {
      content: [
        { type: 'text', text: `${given} ${encoded} ${encodeURIComponent(given)}` },
        { type: 'resource_link', name: given, uri: `file:///${given}` },
        { type: 'resource', resource: { uri: `file:///${given}`, text: given } },
        { type: 'image', mimeType: `image/${given}`, data: 'AAAA' },
      ],
    };
  });
  server.registerTool('leak_structured', { description: 'as data', outputSchema: { said: z.string() } }, async () => ({
    content: [],
    structuredContent: { said: given },
  }));
  server.registerTool('leak_error', { description: 'fails' }, async () => ({ ...text(given), isError: true }));
  server.registerTool('leak_throw', { description: 'throws' }, async () => {
    throw new Error(`no access with ${given}`);
  });
  server.registerTool('grow', { description: 'adds a tool' }, async () => {
    server.registerTool('grown', { description: 'was added' }, async () => text('here'));
    return text('added');
  });
  return server;
}

const [transport, port, key] = process.argv.slice(2);
if (transport === 'stubborn') setInterval(() => undefined, 1_000);
if (transport === 'stdio' || transport === 'stubborn') await makeServer().connect(new StdioServerTransport());
else serveHttp();

function serveHttp() {
  const sessions = new Map();
  const http = createServer(async (request, response) => {
    if (request.headers.authorization !== `Bearer ${key}`) return response.writeHead(401).end();
    const session = sessions.get(request.headers['mcp-session-id']) ?? (await openSession(sessions));
    await session.handleRequest(request, response);
  });
  http.listen(Number(port), '127.0.0.1', () => console.log(http.address().port));
}

async function openSession(sessions) {
  const session = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, session),
  });
  await makeServer().connect(session);
  return session;
}
