import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Pool } from 'undici';
import { refusalOf } from '../http/own-page.js';

/** Of one connection (RFC 9110, 7.6.1), and what the client of the other side makes anew. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

type Headers = Record<string, string | string[] | undefined>;

/**
 * The door of the Temporal UI, which itself answers any Host and gives a CSRF cookie to whoever asks. Only requests for
 * a loopback name pass, and of those that a page made only the UI's own.
 * @param ui origin of the UI
 */
export function createUiProxy(ui: string): Server {
  const connections = new Pool(ui);
  const server = createServer((incoming, outgoing) => {
    const refused = refusalOf(incoming, 'UI');
    if (refused) return answer(outgoing, refused.status, refused.message);
    void forward(connections, incoming, outgoing);
  });
  return server.once('close', () => void connections.destroy());
}

async function forward(ui: Pool, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const { method = 'GET', url = '/', headers } = incoming;
  try {
    const upstream = await ui.request({
      path: url,
      method: method,
      headers: endToEnd(headers),
      body: hasBody(headers) ? incoming : null,
      signal: gone.signal,
    });
    outgoing.writeHead(upstream.statusCode, endToEnd(upstream.headers));
    await pipeline(upstream.body, outgoing);
  } catch (error) {
    if (outgoing.headersSent) outgoing.destroy();
    else answer(outgoing, 502, `The Temporal UI does not answer: ${(error as Error).message}`);
  }
}

function hasBody(headers: Headers): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** Without those of the connection, the ones that its `connection` header names included. */
function endToEnd(headers: Headers): Headers {
  const named = String(headers['connection'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}

function answer(outgoing: ServerResponse, status: number, message: string): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${message}\n`);
}
