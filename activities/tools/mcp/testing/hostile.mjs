// A server that speaks MCP as servers really do, against the protocol. `hostile.mjs stdio`, `hostile.mjs slow` (it answers
// after a while), or `hostile.mjs http`: that one prints its port.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const LONG = 'a'.repeat(64);
const object = { type: 'object' };
const patterned = (pattern) => ({ ...object, properties: { a: { type: 'string', pattern } } });
const outOf = (properties) => ({ ...object, properties, required: Object.keys(properties) });

/** By name, what is listed of a tool besides it. */
const TOOLS = {
  fine: { description: 'does nothing wrong' },
  loose_pattern: { inputSchema: patterned('^https\\:\\/\\/') },
  unicode_pattern: { inputSchema: patterned('^\\p{L}+$') },
  no_pattern: { inputSchema: patterned('(?P<name>a)') },
  no_output_pattern: { outputSchema: outOf({ a: { type: 'string', pattern: '(?P<name>a)' } }) },
  no_reference: { outputSchema: outOf({ a: { $ref: '#/$defs/Nowhere' } }) },
  misfit: { outputSchema: outOf({ degrees: { type: 'number' } }) },
  text_only: { outputSchema: outOf({ degrees: { type: 'number' } }) },
  misfit_error: { outputSchema: outOf({ degrees: { type: 'number' } }) },
  Same: {},
  same: {},
  [`${LONG}_one`]: {},
  [`${LONG}_two`]: {},
  schemaless: { inputSchema: undefined },
  null_description: { description: null },
  json_block: {},
  blocks: {},
  no_content: {},
  asks: {},
  megabytes: {},
  too_large: {},
  changes: {},
  lists: {},
};

const text = (words) => ({ content: [{ type: 'text', text: words }] });

/** What a call of a tool gives; `ask` sends the client a request and gives its answer. */
const CALLS = {
  no_output_pattern: () => ({ content: [], structuredContent: { a: 'b' } }),
  no_reference: () => ({ content: [], structuredContent: { a: 'b' } }),
  misfit: () => ({ ...text('7 degrees'), structuredContent: { degrees: 'seven' } }),
  text_only: () => text('7 degrees'),
  misfit_error: () => ({ ...text('no such place'), structuredContent: { error: 1 }, isError: true }),
  json_block: () => ({
    content: [
      { type: 'json', json: { a: 1 } },
      { type: 'error', text: 'said so' },
    ],
  }),
  blocks: () => ({
    content: [
      { type: 'image', data: 'AAAA', mimeType: 'image/png', _meta: null },
      { type: 'resource', resource: { uri: 'file:///b.bin', blob: 'AAAA', _meta: null } },
      { type: 'resource', resource: { uri: 'file:///t.txt', text: 'of a resource' } },
      { type: 'resource_link', uri: 'file:///l.txt', name: 'a link' },
    ],
  }),
  no_content: () => ({}),
  asks: async (ask) => {
    const answers = [
      await ask('elicitation/create', { message: 'Who?', requestedSchema: object }),
      await ask('sampling/createMessage', { messages: [], maxTokens: 1 }),
    ];
    return text(answers.map(({ error }) => error?.message).join(', '));
  },
  megabytes: () => text('é'.repeat(5_000_000)),
  too_large: () => text('x'.repeat(17 * 1024 * 1024)),
  changes: async (_, notify) => {
    for (let i = 0; i < 500; i += 1) notify('notifications/tools/list_changed');
    return text('changed');
  },
  lists: () => text(String(lists)),
};

/** Its cursors are new ones for ever; else the same one is. */
const isHttp = process.argv[2] === 'http';
let lists = 0;
let pages = 0;
let asked = 0;
const waiting = new Map();

/** @param send takes a message for the client */
async function answer(message, send) {
  const { id, method, params } = message;
  if (method === undefined) return waiting.get(id)?.(message);
  if (id === undefined) return;
  send({ jsonrpc: '2.0', id, ...(await outcome(method, params, send)) });
}

async function outcome(method, params, send) {
  const ask = (asking, what) =>
    new Promise((resolve) => {
      asked += 1;
      waiting.set(`ask-${asked}`, resolve);
      send({ jsonrpc: '2.0', id: `ask-${asked}`, method: asking, params: what });
    });
  const notify = (notified) => send({ jsonrpc: '2.0', method: notified });
  if (method === 'initialize') {
    const { protocolVersion } = params;
    const capabilities = { tools: { listChanged: true } };
    return { result: { protocolVersion, capabilities, serverInfo: { name: 'hostile', version: '0' } } };
  }
  if (method === 'tools/list') {
    if (params?.cursor === undefined) lists += 1;
    pages += 1;
    const tools = Object.entries(TOOLS).map(([name, rest]) => ({ name, inputSchema: object, ...rest }));
    return { result: { tools, nextCursor: isHttp ? `page ${pages}` : 'always' } };
  }
  if (method === 'tools/call') return { result: await (CALLS[params.name] ?? (() => text('fine')))(ask, notify) };
  return { error: { code: -32601, message: 'Method not found' } };
}

if (isHttp) serveHttp();
else await serveStdio(process.argv[2] === 'slow' ? 2_000 : 0);

async function serveStdio(delayMs) {
  console.log('hostile server 1.0 starts');
  await sleep(delayMs);
  console.log('{"level":"info","message":"listening"}');
  const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n[INFO] said something\n`);
  for await (const line of createInterface({ input: process.stdin })) void answer(JSON.parse(line), send);
}

/** Every answer is a stream of events, in which requests to the client come too. */
function serveHttp() {
  const http = createServer(async (request, response) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    let body = '';
    for await (const chunk of request) body += chunk;
    const message = JSON.parse(body);
    if (message.method === undefined || message.id === undefined) {
      await answer(message, () => undefined);
      return response.writeHead(202).end();
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    await answer(message, (sent) => response.write(`event: message\ndata: ${JSON.stringify(sent)}\n\n`));
    response.end();
  });
  http.listen(0, '127.0.0.1', () => console.log(http.address().port));
}
